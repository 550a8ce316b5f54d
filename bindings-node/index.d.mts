// Type definitions of undergo 0.1.0, for `import`.
import * as undergo from './index.js'
export * from './index.js'
export default undergo
