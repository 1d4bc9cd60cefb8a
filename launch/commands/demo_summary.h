// The demo's before/after table.
#pragma once

#include <filesystem>
#include <string>

namespace autodidact::launch {

// Joins the folder's before.json, after.json and after_majority.json (figures of `eval`) into its summary.json, and
// returns the table for people. Error(kBadInput) for a file that is not there or lacks a figure.
std::string SummariseDemo(const std::filesystem::path& run);

}  // namespace autodidact::launch
