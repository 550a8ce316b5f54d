// Renders the README of this project with goldmark, a Markdown library that is written in Go.
//
// Usage: main markdown.wasm [FILE]

#include <fstream>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <regex>
#include <stdexcept>
#include <string>

#include "markdown_plugin.hpp"

using namespace std::chrono_literals;

static undergo::Bytes read_file(const std::string &name) {
  std::ifstream file(name, std::ios::binary);
  if (!file) {
    throw std::runtime_error(name + " can't be read");
  }
  return undergo::Bytes(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

static std::size_t count(const std::string &text, const std::string &word) {
  std::size_t found = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + word.size())) {
    found++;
  }
  return found;
}

static void run(const char *file, const std::string &document) {
  const undergo::Bytes source = read_file(document);
  const auto limits = undergo::Limits().memory(64 * undergo::MiB).timeout(10s);
  const auto markdown = markdown::Markdown::load(file, undergo::Options().limits(limits));
  markdown::Options options;
  options.github = true;
  const std::string html = markdown.render(source, options);

  // Each heading of the source is one of the HTML, in the same order.
  const std::vector<markdown::Heading> headings = markdown.outline(source);
  const std::regex pattern("<h([1-6]) id=\"([^\"]+)\">");
  auto rendered = std::sregex_iterator(html.begin(), html.end(), pattern);
  for (const markdown::Heading &heading : headings) {
    if (rendered == std::sregex_iterator() || (*rendered)[1] != std::to_string(heading.level) || (*rendered)[2] != heading.id) {
      throw std::logic_error("the HTML has not the heading " + heading.id);
    }
    ++rendered;
  }

  std::cout << source.size() << " bytes of Markdown, " << html.size() << " bytes of HTML\n" << headings.size() << " headings:\n";
  for (const markdown::Heading &heading : headings) {
    const std::string indent(static_cast<std::size_t>(2 * (heading.level - 1)), ' ');
    std::cout << std::setw(5) << heading.line << "  " << indent << heading.text << "\n";
  }
  std::cout << count(html, "<pre>") << " blocks of code, " << count(html, "<table>") << " tables, " << count(html, "<a href=") << " links\n";

  // HTML in a document is left out, unless the host wants it. What is optional may be left out,
  // too.
  const std::string text = "*Safe* <script>alert(1)</script>";
  std::cout << markdown.render(undergo::Bytes(text.begin(), text.end()));
}

int main(int argc, char **argv) {
  if (argc < 2) {
    std::cerr << "usage: " << argv[0] << " markdown.wasm [FILE]\n";
    return 2;
  }
  try {
    run(argv[1], argc > 2 ? argv[2] : "../../README.md");
  } catch (const std::exception &error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
