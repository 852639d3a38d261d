#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace decant::test {

/// One line of a .golden file that runs something, with what it wrote.
struct Step {
    std::string command;
    bool is_shown = true;  ///< `$ command`; `% command` prepares, must succeed, and its output is not compared
    std::vector<std::string> remarks;  ///< lines before it that start with #, and blank ones
    std::string out;
    std::string err;
    int exit_code = 0;
};

/// A .golden file:
///   # remark
///   $ decant verify items
///   lines of stdout
///   2> lines of stderr
///   [exit 1]
using Transcript = std::vector<Step>;

Transcript parse_transcript(const std::string& text);
std::string to_text(const Transcript& transcript);

/// Runs the commands of a transcript by bash in a fresh folder, with an environment that holds nothing of the caller's.
class TranscriptRunner {
public:
    using Environment = std::map<std::string, std::string>;

    /// `prelude` is bash code that every command sees.
    TranscriptRunner(Environment environment, std::string prelude);
    TranscriptRunner(const TranscriptRunner&) = delete;
    TranscriptRunner& operator=(const TranscriptRunner&) = delete;
    ~TranscriptRunner();

    /// What `expected`'s commands give now, times, paths and the like replaced by <time>, <dir>...
    /// Throws std::runtime_error when a preparing command fails.
    Transcript run(const Transcript& expected);

    const std::filesystem::path& folder() const noexcept { return folder_; }

private:
    Step run(const Step& expected);
    std::string normalised(const std::string& text) const;

    std::filesystem::path folder_;
    Environment environment_;
    std::string prelude_;
};

}  // namespace decant::test
