// What people have in the place of JSON lines, and what they are told about it.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "json/json.h"

namespace autodidact::data {

// One line of JSON lines, as json::ParseStrict reads it. Error(kBadInput) "WHERE: what is wrong; expected one JSON
// object a line: what to do" for anything but an object.
json::Json ParseRow(std::string_view line, const std::string& where);

// Error(kBadInput) for bytes that begin a file of another format (compressed, Parquet, UTF-16), saying how to convert
// it.
void RefuseOtherFormats(const std::filesystem::path& file, std::string_view bytes);

}  // namespace autodidact::data
