// What people and models put around words to set them. Private to the room.
#pragma once

#include <string>
#include <string_view>

namespace autodidact::answers {

// Without tags (<answer>, </s>), GSM8K's notes (<<1+2=3>>), emphasis (**x**, *x*, __x__, _x_, ~~x~~), code marks and
// fences, and the marks of headings, quotes and bullets at the starts of lines. Products such as 2*3*4 and negative
// numbers stay.
std::string WithoutMarkdown(std::string_view text);

}  // namespace autodidact::answers
