#include "cli/version.hpp"

#include <string>

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <boost/version.hpp>

#include "chroma/library_version.hpp"
#include "core/failpoint_names.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "migrate/page_stream.hpp"
#include "migrate/target_table.hpp"
#include "pg/library_version.hpp"
#include "store/pgvector.hpp"

namespace decant::cli {
namespace {

std::string dotted(int major, int minor, int patch) {
    return fmt::format("{}.{}.{}", major, minor, patch);
}

json::object libraries() {
    return {{"boost", dotted(BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100)},
            {"fmt", dotted(FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100)},
            {"libpq", pg::library_version()},
            {"openssl", OpenSSL_version(OPENSSL_VERSION_STRING)},
            {"spdlog", log::library_version()},
            {"sqlite", chroma::library_version()}};
}

json::object limits() {
    const migrate::PageLimits page;
    return {{"page_rows", page.rows},
            {"page_bytes", page.bytes},
            {"identifier_bytes", migrate::max_identifier_bytes},
            {"vector_index_dimensions", store::max_index_dimensions(pg::VectorType::vector)},
            {"halfvec_index_dimensions", store::max_index_dimensions(pg::VectorType::halfvec)}};
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
                               {"limits", limits()},
                               {"failpoints", json::array(failpoint_names.begin(), failpoint_names.end())}};
    fmt::print("{}\n", json_text(version));
    return 0;
}

}  // namespace decant::cli
