#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "chroma/detail/json.hpp"
#include "chroma/directory.hpp"

namespace decant::chroma::test {

/// A folder that is removed with this object.
class TempFolder {
public:
    TempFolder();
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;
    ~TempFolder();
    const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
};

/// A Chroma directory written by the real chromadb, named VERSION/CASE.
struct FixtureName {
    std::filesystem::path root;  ///< holds VERSION/CASE.tar.gz
    std::string version;
    std::string name;
    std::string label() const { return version + "/" + name; }
    friend void PrintTo(const FixtureName& fixture, std::ostream* out) { *out << fixture.label(); }
};

/// The committed fixture `VERSION/CASE`.
FixtureName committed(const std::string& label);
/// Every fixture of tests/fixtures/chroma and of the folder that DECANT_FIXTURES names.
std::vector<FixtureName> all_fixtures();
bool has_truth(const FixtureName& fixture);

/// Unpacked into a folder of its own.
class Fixture {
public:
    explicit Fixture(const FixtureName& name);
    std::filesystem::path directory() const { return folder_.path() / name_.name; }

private:
    TempFolder folder_;
    FixtureName name_;
};

struct TrueRecord {
    std::optional<std::vector<float>> vector;  ///< none where Chroma itself had lost it
    std::optional<std::string> document;
    detail::Json metadata;
};

/// What Chroma's own get() returned: collection uuid → id → record.
using Truth = std::map<std::string, std::map<std::string, TrueRecord>>;
Truth read_truth(const FixtureName& name);

/// Empty when `record` is the true one, else what differs. In a cosine collection a vector that Chroma has only in
/// memory was divided by its norm and multiplied again there; the reader gives the one that was added.
std::string difference(const Record& record, const TrueRecord& truth, const Collection& collection);

/// All pages of `limit` records; each record is given to `visit`.
void read_all(RecordReader& reader, std::size_t limit, const std::function<void(const Record&)>& visit);

}  // namespace decant::chroma::test
