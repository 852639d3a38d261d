#include "cli/confirm.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "core/error.hpp"
#include "core/utf8.hpp"

namespace decant::cli {

bool confirm(const std::string& danger, const std::string& command) {
    if (::isatty(STDIN_FILENO) == 0) throw Error{ErrorCode::request_invalid, danger, "run " + command + " --yes"};
    fmt::print(stderr, "{}. Type yes to do it: ", printable(danger));
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "yes";
}

}  // namespace decant::cli
