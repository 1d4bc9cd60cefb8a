// Text on its way into a page.
#pragma once

#include <string>
#include <string_view>

namespace autodidact::report {

// Safe between tags and inside quoted attributes, whatever it holds: the five characters of markup become entities,
// control characters other than line feed and tab become U+FFFD.
std::string Escape(std::string_view text);

// A number for people: at most four significant digits, no needless zeros; "–" when it is not finite.
std::string Number(double value);

// <details><summary>…</summary>…</details>; both are HTML already.
std::string Details(const std::string& summary, const std::string& body, bool open = false);

}  // namespace autodidact::report
