#include "tests/fuzz/support/read_everything.hpp"

#include <cstdlib>
#include <string>

#include "chroma/detail/catalog.hpp"
#include "chroma/detail/persisted_reader.hpp"
#include "core/error.hpp"

namespace decant::fuzz {
namespace {

using namespace decant::chroma;

void read_collection(const std::filesystem::path& directory, const detail::CatalogEntry& entry,
                     const detail::SchemaTraits& traits) {
    detail::PersistedReader reader{directory, entry, traits};
    if (reader.survey().records != reader.record_count() + reader.lost().size()) std::abort();
    std::uint64_t count = 0;
    std::string last;
    for (auto page = reader.next_page(16); !page.empty(); page = reader.next_page(16)) {
        for (const Record& record : page) {
            if (count > 0 && record.id <= last) std::abort();
            last = record.id;
            ++count;
        }
    }
    if (count != reader.record_count()) std::abort();
}

bool is_expected(const Error& error) {
    return error.code() == ErrorCode::source_unreadable || error.code() == ErrorCode::source_changed;
}

}  // namespace

void read_everything(const std::filesystem::path& directory) {
    try {
        const detail::Database db{directory / "chroma.sqlite3"};
        const detail::Catalog catalog = detail::read_catalog(db);
        for (const detail::CatalogEntry& entry : catalog.entries) {
            try {
                read_collection(directory, entry, catalog.traits);
            } catch (const Error& error) {
                if (!is_expected(error)) std::abort();
            }
        }
    } catch (const Error& error) {
        if (!is_expected(error)) std::abort();
    }
}

}  // namespace decant::fuzz
