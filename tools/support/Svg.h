// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_SUPPORT_SVG_H
#define PMPD_TOOLS_SUPPORT_SVG_H

#include <iomanip>
#include <sstream>
#include <string>

namespace pmpd::tools {

/// A number with so many digits behind the point.
inline std::string rounded(double value, int digits) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(digits) << value;
  return text.str();
}

/// A drawing; all lengths are in its pixels.
class Svg {
public:
  Svg(int width, int height) {
    text << std::fixed << std::setprecision(1)
         << "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " << width
         << " " << height << "\" font-family=\"sans-serif\" font-size=\"12\">\n"
         << "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
  }
  void line(double x1, double y1, double x2, double y2, const char *style) {
    text << "<line x1=\"" << x1 << "\" y1=\"" << y1 << "\" x2=\"" << x2
         << "\" y2=\"" << y2 << "\" " << style << "/>\n";
  }
  void dot(double x, double y, double radius, const char *color,
           const std::string &title) {
    text << "<circle cx=\"" << x << "\" cy=\"" << y << "\" r=\"" << radius
         << "\" fill=\"" << color << "\"><title>" << title
         << "</title></circle>\n";
  }
  /// A bar from (x, y) down and to the right.
  void bar(double x, double y, double width, double height, const char *color,
           const std::string &title) {
    text << "<rect x=\"" << x << "\" y=\"" << y << "\" width=\"" << width
         << "\" height=\"" << height << "\" fill=\"" << color << "\"><title>"
         << title << "</title></rect>\n";
  }
  void label(double x, double y, const char *anchor, const std::string &words) {
    text << "<text x=\"" << x << "\" y=\"" << y << "\" text-anchor=\"" << anchor
         << "\">" << words << "</text>\n";
  }
  std::string finish() { return text.str() + "</svg>\n"; }

private:
  std::ostringstream text;
};

} // namespace pmpd::tools

#endif // PMPD_TOOLS_SUPPORT_SVG_H
