#include "tests/golden/transcript.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>
#include <stdexcept>

#include "core/child_process.hpp"

namespace decant::test {
namespace {

namespace fs = std::filesystem;

struct Rule {
    std::regex pattern;
    const char* replacement;
};

/// What differs from run to run and says nothing.
const std::vector<Rule>& rules() {
    static const std::vector<Rule> all{
        {std::regex{R"re(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d(:\d\d)?)?)re"}, "<time>"},
        {std::regex{R"re(\bdk_[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-]))re"}, "dk_<key>"},
        {std::regex{R"re([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})re"}, "<uuid>"},
        {std::regex{R"re(\bport=\d+)re"}, "port=<port>"},
        {std::regex{R"re(//127\.0\.0\.1:\d+)re"}, "//127.0.0.1:<port>"},
        {std::regex{R"re(\b([Pp]rocess|pid|PID) \d+)re"}, "$1 <pid>"},
        {std::regex{R"re(("\w*seconds": ?)[-+.e0-9]+)re"}, "$1<s>"},
        {std::regex{R"re(("\w*pid": ?|\npid +)\d+)re"}, "$1<pid>"},
        {std::regex{R"re((\nhost +)\S+)re"}, "$1<host>"},
        {std::regex{R"re(("host": ?)"[^"]*")re"}, "$1\"<host>\""},
        {std::regex{R"re((pid <pid> on )[^\s,]+)re"}, "$1<host>"},
        {std::regex{R"re((recall@10 of the index: )[.0-9]+)re"}, "$1<recall>"},
        {std::regex{R"re((Index recall@10: )[.0-9]+ \(\d+)re"}, "$1<recall> (<n>"},
        {std::regex{R"re((Duration: )[.0-9]+)re"}, "$1<s>"},
        {std::regex{R"re(("(?:parallel_workers|maintenance_work_mem_kib)": ?)\d+)re"}, "$1<n>"},
        {std::regex{R"re((  )\d+\.\d{3}(?=\n|$))re"}, "$1<s>"},
        {std::regex{R"re(\b\d+(\.\d+)? (s|ms)\b)re"}, "<time>"},
        {std::regex{R"re(("(?:boost|cli11|fmt|openssl|spdlog|sqlite|libpq)": ?)"[^"]*")re"}, "$1\"<version>\""},
        {std::regex{R"re(("compiler": ?)"[^"]*")re"}, "$1\"<compiler>\""},
    };
    return all;
}

void replace_all(std::string& text, const std::string& what, const std::string& with) {
    if (what.empty()) return;
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
        text.replace(at, what.size(), with);
    }
}

std::string read(const fs::path& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

void append_lines(std::string& text, const std::string& output, const std::string& prefix) {
    std::istringstream lines{output};
    for (std::string line; std::getline(lines, line);)
        text += prefix + line + "\n";
    if (!output.empty() && output.back() != '\n') text += "[no newline at the end]\n";
}

}  // namespace

Transcript parse_transcript(const std::string& text) {
    Transcript transcript;
    std::vector<std::string> remarks;
    bool is_in_output = false;
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) {
        const bool is_command = line.starts_with("$ ") || line.starts_with("% ");
        if (is_command && !is_in_output) {
            transcript.push_back(
                {.command = line.substr(2), .is_shown = line[0] == '$', .remarks = std::move(remarks)});
            remarks.clear();
            is_in_output = line[0] == '$';
        } else if (!is_in_output) {
            remarks.push_back(line);
        } else if (line.starts_with("[exit ")) {
            transcript.back().exit_code = std::atoi(line.c_str() + 6);
            is_in_output = false;
        } else if (line.starts_with("2> ")) {
            transcript.back().err += line.substr(3) + "\n";
        } else {
            transcript.back().out += line + "\n";
        }
    }
    return transcript;
}

std::string to_text(const Transcript& transcript) {
    std::string text;
    for (const Step& step : transcript) {
        for (const std::string& remark : step.remarks)
            text += remark + "\n";
        text += fmt::format("{} {}\n", step.is_shown ? '$' : '%', step.command);
        if (!step.is_shown) continue;
        append_lines(text, step.out, "");
        append_lines(text, step.err, "2> ");
        text += fmt::format("[exit {}]\n", step.exit_code);
    }
    return text;
}

TranscriptRunner::TranscriptRunner(Environment environment, std::string prelude)
    : environment_(std::move(environment)), prelude_(std::move(prelude)) {
    std::string pattern = (fs::temp_directory_path() / "decant-golden-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
    folder_ = fs::canonical(pattern);
    fs::create_directory(folder_ / "work");
    std::ofstream{folder_ / "prelude"} << prelude_;
}

TranscriptRunner::~TranscriptRunner() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

Transcript TranscriptRunner::run(const Transcript& expected) {
    Transcript actual;
    for (const Step& step : expected)
        actual.push_back(run(step));
    return actual;
}

Step TranscriptRunner::run(const Step& expected) {
    ProgramCall call{.argv = {"/usr/bin/env", "-i", "HOME=" + folder_.string(), "TMPDIR=" + folder_.string(),
                              "LC_ALL=C.UTF-8", "TERM=dumb"},
                     .directory = (folder_ / "work").string()};
    for (const auto& [key, value] : environment_)
        call.argv.push_back(fmt::format("{}={}", key, value));
    // exec, because a redirected group would leave the pipe open in what it starts in the background.
    const std::string script =
        fmt::format("exec >{0}/out 2>{0}/err\n. {0}/prelude\n{1}\n", folder_.string(), expected.command);
    call.argv.insert(call.argv.end(), {"/bin/bash", "-c", script});
    const ProgramResult result = run_program(call);
    Step actual = expected;
    actual.exit_code = result.exit_code;
    actual.out = normalised(read(folder_ / "out"));
    actual.err = normalised(read(folder_ / "err") + result.output);
    if (!expected.is_shown && result.exit_code != 0) {
        throw std::runtime_error(
            fmt::format("{}: exit {}\n{}{}", expected.command, result.exit_code, actual.out, actual.err));
    }
    return actual;
}

std::string TranscriptRunner::normalised(const std::string& text) const {
    std::string out = text;
    replace_all(out, (folder_ / "work").string(), "<dir>");
    replace_all(out, folder_.string(), "<home>");
    for (const auto& [key, value] : environment_) {
        if (key == "PGHOST") replace_all(out, value, "<socket>");
        if (key == "PGPORT") replace_all(out, value, "<port>");
        if (key == "PGDATABASE") replace_all(out, value, "<database>");
    }
    for (const auto& [pattern, replacement] : rules())
        out = std::regex_replace(out, pattern, replacement);
    return out;
}

}  // namespace decant::test
