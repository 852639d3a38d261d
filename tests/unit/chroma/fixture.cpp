#include "tests/unit/chroma/fixture.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>

namespace decant::chroma::test {
namespace fs = std::filesystem;
namespace {

fs::path committed_root() {
    return fs::path{DECANT_SOURCE_DIR} / "tests/fixtures/chroma";
}

void run(const std::string& command) {
    if (std::system(command.c_str()) != 0) {
        throw std::runtime_error("failed: " + command);
    }
}

void append_fixtures(const fs::path& root, std::vector<FixtureName>& out) {
    constexpr std::string_view suffix = ".tar.gz";
    for (const auto& file : fs::recursive_directory_iterator{root}) {
        std::string name = file.path().filename().string();
        if (name.ends_with(suffix)) {
            name.resize(name.size() - suffix.size());
            out.push_back({root, file.path().parent_path().filename().string(), name});
        }
    }
}

std::vector<float> decode_vector(const std::string& base64) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string bytes;
    unsigned bits = 0;
    int bit_count = 0;
    for (const char c : base64.substr(0, base64.find('='))) {
        bits = bits << 6U | static_cast<unsigned>(alphabet.find(c));
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            bytes.push_back(static_cast<char>(bits >> static_cast<unsigned>(bit_count) & 0xffU));
        }
    }
    std::vector<float> vector(bytes.size() / sizeof(float));
    std::memcpy(vector.data(), bytes.data(), vector.size() * sizeof(float));
    return vector;
}

bool is_same_bits(std::span<const float> left, std::span<const float> right) {
    return left.size() == right.size() && std::memcmp(left.data(), right.data(), left.size_bytes()) == 0;
}

/// Whether some float32 length within 4 ulp of the norm, and its inverse within 1 ulp, turn `raw` into `returned`.
bool is_renormalised(std::span<const float> raw, std::span<const float> returned) {
    double square = 0;
    for (const float component : raw) {
        square += double{component} * double{component};
    }
    const auto norm_bits = std::bit_cast<std::int32_t>(static_cast<float>(std::sqrt(square)));
    for (std::int32_t i = -4; i <= 4; ++i) {
        const auto length = std::bit_cast<float>(norm_bits + i);
        const auto inverse_bits = std::bit_cast<std::int32_t>(1.0F / length);
        for (std::int32_t j = -1; j <= 1; ++j) {
            const auto inverse = std::bit_cast<float>(inverse_bits + j);
            const bool fits =
                raw.size() == returned.size() &&
                std::equal(raw.begin(), raw.end(), returned.begin(), [=](float x, float y) {
                    const float normalised = x * inverse;
                    return std::bit_cast<std::uint32_t>(normalised * length) == std::bit_cast<std::uint32_t>(y);
                });
            if (fits) {
                return true;
            }
        }
    }
    return false;
}

bool is_same_scalar(const Scalar& value, const detail::Json& truth) {
    if (const auto* text = truth.text()) {
        const auto* own = std::get_if<std::string_view>(&value);
        return own != nullptr && *own == *text;
    }
    if (const auto* real = std::get_if<double>(&truth.value)) {
        const auto* own = std::get_if<double>(&value);
        return own != nullptr && std::bit_cast<std::uint64_t>(*own) == std::bit_cast<std::uint64_t>(*real);
    }
    if (const auto* whole = std::get_if<std::int64_t>(&truth.value)) {
        const auto* own = std::get_if<std::int64_t>(&value);
        return own != nullptr && *own == *whole;
    }
    const auto* flag = std::get_if<bool>(&truth.value);
    const auto* own = std::get_if<bool>(&value);
    return flag != nullptr && own != nullptr && *own == *flag;
}

bool is_same_value(const MetadataValue& value, const detail::Json& truth) {
    const auto* list = std::get_if<std::span<const Scalar>>(&value);
    if (list == nullptr) {
        return is_same_scalar(std::get<Scalar>(value), truth);
    }
    const auto* items = std::get_if<detail::JsonArray>(&truth.value);
    return items != nullptr && std::equal(list->begin(), list->end(), items->begin(), items->end(), is_same_scalar);
}

bool is_same_metadata(const Record& record, const detail::Json& truth) {
    const auto* members = std::get_if<detail::JsonObject>(&truth.value);
    if (!record.metadata || members == nullptr) {
        return !record.metadata && truth.is_null();
    }
    return record.metadata->size() == members->size() &&
           std::all_of(record.metadata->begin(), record.metadata->end(), [&](const MetadataEntry& entry) {
               const detail::Json* value = truth.find(entry.key);
               return value != nullptr && is_same_value(entry.value, *value);
           });
}

}  // namespace

TempFolder::TempFolder() {
    std::string pattern = (fs::temp_directory_path() / "decant-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
        throw std::runtime_error("mkdtemp failed");
    }
    path_ = pattern;
}

TempFolder::~TempFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

FixtureName committed(const std::string& label) {
    const auto slash = label.find('/');
    return {committed_root(), label.substr(0, slash), label.substr(slash + 1)};
}

std::vector<FixtureName> all_fixtures() {
    std::vector<FixtureName> found;
    append_fixtures(committed_root(), found);
    if (const char* more = std::getenv("DECANT_FIXTURES"); more != nullptr && *more != 0) {
        append_fixtures(more, found);
    }
    std::sort(found.begin(), found.end(),
              [](const auto& left, const auto& right) { return left.label() < right.label(); });
    return found;
}

bool has_truth(const FixtureName& fixture) {
    return fs::exists(fixture.root / fixture.version / (fixture.name + ".truth.jsonl.gz"));
}

Fixture::Fixture(const FixtureName& name) : name_(name) {
    run(fmt::format("tar -xzf '{}' -C '{}'", (name.root / name.version / (name.name + ".tar.gz")).string(),
                    folder_.path().string()));
}

Truth read_truth(const FixtureName& name) {
    const TempFolder folder;
    const fs::path plain = folder.path() / "truth.jsonl";
    run(fmt::format("gzip -dc '{}' > '{}'", (name.root / name.version / (name.name + ".truth.jsonl.gz")).string(),
                    plain.string()));
    Truth truth;
    std::string uuid;
    std::ifstream lines{plain};
    for (std::string line; std::getline(lines, line);) {
        const auto json = detail::parse_json(line);
        if (!json) {
            throw std::runtime_error("truth is no JSON: " + line.substr(0, 80));
        }
        if (const detail::Json* head = json->find("uuid")) {
            uuid = *head->text();
            truth[uuid];
            continue;
        }
        TrueRecord record;
        if (const auto* vector = json->find("v")->text()) {
            record.vector = decode_vector(*vector);
        }
        if (const auto* document = json->find("document")->text()) {
            record.document = *document;
        }
        record.metadata = *json->find("metadata");
        truth[uuid].emplace(*json->find("id")->text(), std::move(record));
    }
    return truth;
}

std::string difference(const Record& record, const TrueRecord& truth, const Collection& collection) {
    if (record.document.has_value() != truth.document.has_value() ||
        (truth.document && *record.document != *truth.document)) {
        return "document";
    }
    if (!is_same_metadata(record, truth.metadata)) {
        return "metadata";
    }
    if (!truth.vector || is_same_bits(record.vector, *truth.vector)) {
        return {};
    }
    const bool is_excepted = collection.space == Space::cosine && is_renormalised(record.vector, *truth.vector);
    return is_excepted ? "" : "vector";
}

void read_all(RecordReader& reader, std::size_t limit, const std::function<void(const Record&)>& visit) {
    for (auto page = reader.next_page(limit); !page.empty(); page = reader.next_page(limit)) {
        for (const Record& record : page) {
            visit(record);
        }
    }
}

}  // namespace decant::chroma::test
