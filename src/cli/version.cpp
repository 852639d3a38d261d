#include "cli/version.hpp"

#include <string>

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <boost/version.hpp>

#include "core/failpoint_names.hpp"
#include "core/json.hpp"
#include "core/log.hpp"

namespace decant::cli {
namespace {

std::string dotted(int major, int minor, int patch) {
    return fmt::format("{}.{}.{}", major, minor, patch);
}

json::object libraries() {
    return {{"boost", dotted(BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100)},
            {"fmt", dotted(FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100)},
            {"openssl", OpenSSL_version(OPENSSL_VERSION_STRING)},
            {"spdlog", log::library_version()}};
}

std::string compiler() {
#if defined(__clang__)
    return fmt::format("clang {}", __clang_version__);
#else
    return fmt::format("g++ {}", __VERSION__);
#endif
}

}  // namespace

int print_version(bool json) {
    if (!json) {
        fmt::print("decant {}\n", DECANT_VERSION);
        return 0;
    }
    const json::object version{{"version", DECANT_VERSION},
                               {"compiler", compiler()},
                               {"libraries", libraries()},
                               {"failpoints", json::array(failpoint_names.begin(), failpoint_names.end())}};
    fmt::print("{}\n", json_text(version));
    return 0;
}

}  // namespace decant::cli
