#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/http_stand_in.hpp"
#include "tests/support/langsmith_datasets.hpp"
#include "tests/support/langsmith_rules.hpp"

namespace decant::test {

struct LangSmithSetup {
    std::string key = "lsv2_key";
    std::string workspace = {};  ///< that X-Tenant-Id must name; empty: none
    LangSmithLimits limits = {};
    bool takes_zstd = true;
    std::string version = "0.13.0";
    int port = 0;               ///< 0: any free one
    std::size_t kept = 20'000;  ///< runs whose content is kept; of others only their ids and parents
};

/// A stand-in for LangSmith's API: /info, /runs/multipart, /runs/batch, /feedback, /datasets, /examples, /sessions. It
/// takes what the contract allows, and keeps what breaks it as a violation, which it answers with 422. Runs are taken
/// once: one that comes again as it was is counted, one that comes again with other content is a violation.
class LangSmithServer {
public:
    /// Answers in the place of the server; none: the server does.
    using Fault = std::function<std::optional<StandInAnswer>(const StandInRequest&)>;

    static constexpr std::string_view session_id = "5e551011-0000-4000-8000-000000000001";  ///< of every project

    explicit LangSmithServer(LangSmithSetup setup = {});

    void set_fault(Fault fault);
    /// The next so many requests to take runs are obeyed, and their answers are lost.
    void lose_answers(int count);
    /// For a Fault: the server does as the request says, and `answer` is what is told of it.
    StandInAnswer obeyed(const StandInRequest& request, StandInAnswer answer);

    std::string url() const { return http_.url(); }
    int port() const noexcept { return http_.port(); }
    const HttpStandIn& http() const noexcept { return http_; }

    std::vector<std::string> violations() const;
    std::size_t run_count() const;
    std::size_t repeats() const;  ///< runs that came again
    std::map<std::string, std::size_t> count_by_name() const;
    /// Runs with content, by id.
    std::map<std::string, boost::json::object> runs() const;
    /// By id; what a PATCH says replaces what was said before.
    std::map<std::string, boost::json::object> feedback() const;
    LangSmithDatasets::Objects datasets() const;
    LangSmithDatasets::Objects examples() const;
    LangSmithDatasets::Objects experiments() const;
    /// Parents that were named and never came.
    std::vector<std::string> missing_parents() const;

private:
    struct Kept {
        std::string name;
        std::string parent;
        std::string session;  ///< empty: a project
        std::size_t digest = 0;
        boost::json::object run;
    };

    StandInAnswer answer(const StandInRequest& request);
    StandInAnswer honest_answer(const StandInRequest& request);
    StandInAnswer take_runs(Ingested ingested);
    StandInAnswer take_feedback(const StandInRequest& request);
    void take(RunOperation& operation, std::vector<std::string>& faults);
    std::vector<std::string> faults_of_session(const boost::json::object& feedback) const;
    std::string fault_of_head(const StandInRequest& request) const;
    StandInAnswer info() const;

    const LangSmithSetup setup_;
    mutable std::mutex mutex_;
    Fault fault_;
    int lost_answers_ = 0;
    std::vector<std::string> violations_;
    std::map<std::string, Kept> runs_;
    std::size_t repeats_ = 0;
    std::map<std::string, boost::json::object> feedback_;
    LangSmithDatasets datasets_;
    HttpStandIn http_;  ///< last: its threads use the others
};

}  // namespace decant::test
