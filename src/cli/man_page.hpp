#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/command_line.hpp"

namespace decant::cli {

/// A manual page of section 1, as text for man(1).
struct ManPage {
    std::string name;  ///< "decant", "decant-db-start": its file is NAME.1
    std::string text;
};

/// decant's own page, then one for each of `commands`. Pure.
std::vector<ManPage> man_pages(const std::vector<std::unique_ptr<Command>>& commands);

}  // namespace decant::cli
