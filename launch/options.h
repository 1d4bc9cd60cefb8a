// The command line: every subcommand with its options, and what they were given.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "launch/commands/commands.h"

namespace autodidact::launch {

// What the subcommand that was called was given; the others' members keep their defaults.
struct Arguments {
  std::string called;  // argv[0]
  std::string config;
  std::vector<std::string> overrides;
  bool verbose = false;
  bool dry_run = false;
  bool probe = false;
  bool resume = false;
  std::string resume_from;
  bool overwrite = false;
  std::string join;
  std::optional<std::int64_t> index;
  std::size_t host = 0;
  bool again = false;
  std::vector<std::string> words;  // of a command that is handed on
  std::string path;
  EvalCommand eval;
  SynthesizeCommand synthesize;
  LinesCommand lines;
  GradeCommand grade;
  ReportCommand report;
  DemoDataCommand demo;
  ConfigCommand keys;
  DoctorCommand doctor;
  SlurmCommand slurm;
};

// Adds all subcommands to `app`, whose parsing then fills `arguments`. Both must outlive the parsing.
void Describe(CLI::App& app, Arguments& arguments);

}  // namespace autodidact::launch
