// The type definitions, which editors show: each member is documented, and each method that can
// fail says so.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

const lines = readFileSync(new URL('../index.d.ts', import.meta.url), 'utf8').split('\n')
const NEVER_FAIL = ['release', 'takeStdout', 'takeStderr', 'waitCompiled']
const MEMBER = /^ {2}(?:static |readonly )*(\w+)\??(?:<.*>)?([(:])/
const DECLARATION = /^(?:export )?(?:declare )?(?:class|interface|type|function|const) (\w+)/

/** The comment that ends above a line, past what speaks to a linter. */
function commentAbove(index) {
  let at = index - 1
  while (lines[at].trim().startsWith('//')) at--
  if (!lines[at].trim().endsWith('*/')) return undefined
  const end = at
  while (!lines[at].trim().startsWith('/**')) at--
  return lines.slice(at, end + 1).join('\n')
}

/** What is declared, as [line, name, whether it is a method]. */
function declared() {
  const found = []
  for (const [index, line] of lines.entries()) {
    const member = MEMBER.exec(line)
    if (member && member[1] !== 'constructor') found.push([index, member[1], member[2] === '('])
    else if (DECLARATION.test(line)) found.push([index, DECLARATION.exec(line)[1], false])
  }
  return found
}

test('everything that is declared is documented', () => {
  // The values beside the types of that name, and what only names members for others.
  const beside = ['Instance', 'Pool', 'ObjectMembers', 'PooledMembers', 'SyncLending', 'SyncMembers', 'SyncObjectMembers', 'SyncTurns']
  const all = declared()
  assert.ok(all.length > 100)
  const silent = all.filter(([index, name]) => commentAbove(index) === undefined && !beside.includes(name))
  assert.deepEqual(silent.map(([index, name]) => `${index + 1}: ${name}`), [])
})

test('each method that can fail says how', () => {
  const methods = declared().filter(([, name, isMethod]) => isMethod && !NEVER_FAIL.includes(name))
  assert.ok(methods.length > 20)
  const silent = methods.filter(([index]) => !commentAbove(index)?.includes('@throws'))
  assert.deepEqual(silent.map(([index, name]) => `${index + 1}: ${name}`), [])
})
