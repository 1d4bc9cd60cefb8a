#include "answers/plain_text.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "base/strings.h"

namespace autodidact::answers {
namespace {

using Written = std::pair<std::string_view, std::string_view>;

constexpr Written kSymbols[] = {
    {"\u2212", "-"},        {"\u2010", "-"},      {"\u2011", "-"},        {"\u2013", "-"},
    {"\uFE63", "-"},        {"\uFF0D", "-"},      {"\uFF0B", "+"},        {"\u00A0", " "},
    {"\u2007", " "},        {"\u2009", " "},      {"\u202F", " "},        {"\u3000", " "},
    {"\u200B", ""},         {"\uFEFF", ""},       {"\u00D7", "\\times "}, {"\u00B7", "\\cdot "},
    {"\u22C5", "\\cdot "},  {"\u00F7", "\\div "}, {"\u221A", "\\sqrt "},  {"\u03C0", "\\pi "},
    {"\u221E", "\\infty "}, {"\u00B1", "\\pm "},  {"\u2264", "\\le "},    {"\u2265", "\\ge "},
    {"\u2260", "\\ne "},    {"\u2248", "="},      {"\u2245", "="},        {"\u00B0", "^\\circ "},
    {"\u00BA", "^\\circ "}, {"\uFF05", "%"},      {"\uFF0C", ", "},       {"\uFF1A", ": "},
    {"\u3002", ". "},       {"\u2019", "'"},      {"\u2018", "'"},        {"\u20AC", "$"},
    {"\u00A3", "$"},        {"\u00A5", "$"},      {"\uFFE5", "$"},        {"\u20B9", "$"},
    {"\u20BD", "$"},        {"\u20A9", "$"},      {"\u2044", "/"},        {"\u2215", "/"},
    {"\u00BD", " 1/2"},     {"\u00BC", " 1/4"},   {"\u00BE", " 3/4"},     {"\u2153", " 1/3"},
    {"\u2154", " 2/3"},     {"\u2155", " 1/5"},   {"\u2156", " 2/5"},     {"\u2157", " 3/5"},
    {"\u2158", " 4/5"},     {"\u2159", " 1/6"},   {"\u215A", " 5/6"},     {"\u215B", " 1/8"},
    {"\u215C", " 3/8"},     {"\u215D", " 5/8"},   {"\u215E", " 7/8"},
};

constexpr Written kSuperscripts[] = {
    {"\u2070", "0"}, {"\u00B9", "1"}, {"\u00B2", "2"}, {"\u00B3", "3"}, {"\u2074", "4"}, {"\u2075", "5"},
    {"\u2076", "6"}, {"\u2077", "7"}, {"\u2078", "8"}, {"\u2079", "9"}, {"\u207B", "-"}, {"\u207A", "+"},
};

constexpr Written kCommands[] = {
    {"\\,", " "},          {"\\;", " "},          {"\\:", " "},     {"\\ ", " "},           {"\\!", ""},
    {"\\$", "$"},          {"\\%", "%"},          {"\\(", " $"},    {"\\)", "$ "},          {"\\[", " $"},
    {"\\]", "$ "},         {"\\left", ""},        {"\\right", ""},  {"\\displaystyle", ""}, {"\\dfrac", "\\frac"},
    {"\\tfrac", "\\frac"}, {"\\cfrac", "\\frac"}, {"\\quad", " "},  {"\\qquad", " "},       {"\\degree", "^\\circ "},
    {"\\approx", "="},     {"\\big", ""},         {"\\Big", ""},    {"\\bigl", ""},         {"\\bigr", ""},
    {"\\hspace", ""},      {"\\thinspace", " "},  {"\\limits", ""}, {"\\bf", ""},           {"\\rm", ""},
};

// Commands that only set what they hold.
constexpr std::string_view kWrappers[] = {"\\text",      "\\textbf",     "\\textit",      "\\textrm", "\\mathrm",
                                          "\\mathbf",    "\\mathit",     "\\mathsf",      "\\mbox",   "\\boldsymbol",
                                          "\\bm",        "\\emph",       "\\boxed",       "\\fbox",   "\\texttt",
                                          "\\underline", "\\textnormal", "\\operatorname"};

template <class List>
const Written* Known(const List& list, std::string_view text) {
  const auto found = std::find_if(std::begin(list), std::end(list),
                                  [&](const Written& spelling) { return text.starts_with(spelling.first); });
  return found == std::end(list) ? nullptr : &*found;
}

// The command at the start of a text: its letters, or the one character after the backslash.
std::string_view CommandAt(std::string_view text) {
  std::size_t end = 1;
  while (end < text.size() && base::IsLetter(text[end])) ++end;
  return text.substr(0, std::min(std::max<std::size_t>(end, 2), text.size()));
}

std::string WithAsciiSymbols(std::string_view text) {
  std::string plain;
  bool raised = false;  // within a run of superscripts
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    const bool ascii = static_cast<unsigned char>(text[at]) < 0x80;
    const Written* power = ascii ? nullptr : Known(kSuperscripts, rest);
    if (power != nullptr) {
      if (!raised) plain += "^{";
      plain += power->second;
      at += power->first.size();
      raised = true;
      continue;
    }
    if (raised) plain += "}";
    raised = false;
    if (const Written* symbol = ascii ? nullptr : Known(kSymbols, rest)) {
      plain += symbol->second;
      at += symbol->first.size();
      continue;
    }
    plain += text[at++];
  }
  if (raised) plain += "}";
  return plain;
}

}  // namespace

std::string PlainSpelling(std::string_view original) {
  const std::string text = base::ReplaceAll(base::ReplaceAll(WithAsciiSymbols(original), ",\\!", ","), "{,}", ",");
  std::string plain;
  std::vector<bool> sets;  // of each open brace: whether it belongs to a command that is left out
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view rest = std::string_view(text).substr(at);
    if (rest.front() == '\\') {
      const std::string_view command = CommandAt(rest);
      std::size_t next = at + command.size();
      const auto known = std::find_if(std::begin(kCommands), std::end(kCommands),
                                      [&](const Written& spelling) { return spelling.first == command; });
      if (base::Contains(kWrappers, command)) {
        while (next < text.size() && text[next] == ' ') ++next;
        if (next < text.size() && text[next] == '{') {
          sets.push_back(true);
          ++next;
          if (command == "\\boxed" || command == "\\fbox") plain += ' ';
        }
      } else {
        plain += known == std::end(kCommands) ? command : known->second;
      }
      at = next;
      continue;
    }
    const char c = text[at++];
    if (c == '~') {
      plain += ' ';
    } else if (c == '{') {
      sets.push_back(false);
      plain += c;
    } else if (c == '}' && !sets.empty()) {
      if (!sets.back()) plain += c;
      sets.pop_back();
    } else {
      plain += c;
    }
  }
  return plain;
}

}  // namespace autodidact::answers
