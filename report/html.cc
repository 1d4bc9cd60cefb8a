#include "report/html.h"

#include <cmath>

#include "base/format.h"

namespace autodidact::report {

std::string Escape(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      case '\'':
        safe += "&#39;";
        break;
      default: {
        const auto byte = static_cast<unsigned char>(c);
        const bool control = (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7F;
        control ? safe += "\xEF\xBF\xBD" : safe += c;
      }
    }
  }
  return safe;
}

std::string Number(double value) {
  if (!std::isfinite(value)) return "–";
  if (value == 0) return "0";
  std::string text = base::Format("{:.4g}", value);
  // A minus sign as wide as the digits.
  if (text.front() == '-') text.replace(0, 1, "−");
  return text;
}

std::string Details(const std::string& summary, const std::string& body, bool open) {
  return std::string(open ? "<details open>" : "<details>") + "<summary>" + summary + "</summary>\n" + body +
         "</details>\n";
}

}  // namespace autodidact::report
