#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/settings.hpp"
#include "net/http_client.hpp"
#include "trace/detail/langsmith_body.hpp"
#include "trace/sink.hpp"

namespace decant::trace {

struct LangSmithSetup {
    net::Url url;  ///< of the API
    std::string api_key = {};
    std::string workspace = {};
    detail::LangSmithForm form;
    double sampling_rate = 1;
    std::string sink_name = "langsmith";
};

/// Where LangSmith is by LANGSMITH_ENDPOINT or LANGSMITH_RUNS_ENDPOINTS, one at least, whatever LANGSMITH_TRACING says.
/// Throws Error{config_invalid}, Error{request_invalid} for values that cannot be meant so.
std::vector<LangSmithSetup> langsmith_accounts(const Settings& settings, const std::string& version);

/// The same; none where LANGSMITH_TRACING is not "true".
std::vector<LangSmithSetup> langsmith_setups(const Settings& settings, const std::string& version);

/// The API's client, with its headers.
net::HttpService langsmith_service(const LangSmithSetup& setup);

/// Sends runs to LangSmith: POST /runs/multipart, compressed where the server says so, in pieces as large as it takes;
/// POST /runs/batch where the other is not found, for good once it took some.
class LangSmithSink final : public Sink {
public:
    explicit LangSmithSink(LangSmithSetup setup);

    std::string_view name() const noexcept override { return setup_.sink_name; }
    BatchLimits limits() const noexcept override { return limits_; }
    Delivery deliver(const Runs& runs, const std::stop_token& stop) override;

    /// After a delivery of runs: how many feedbacks go in one request.
    std::size_t most_feedback() const noexcept { return takes_feedback_parts_ && takes_multipart_ ? limits_.runs : 1; }
    /// At most so many, as POST /feedback takes them. By their ids they are taken once.
    Delivery deliver_feedback(const std::vector<json::object>& feedback, const std::stop_token& stop);

private:
    Delivery ask_info(const std::stop_token& stop);
    Delivery post(const Runs& runs, const std::stop_token& stop);
    Delivery send_multipart(detail::Multipart multipart, const std::stop_token& stop);

    LangSmithSetup setup_;
    net::HttpClient client_;
    BatchLimits limits_;
    bool is_informed_ = false;
    bool takes_multipart_ = true;
    bool takes_zstd_ = false;
    bool takes_feedback_parts_ = false;
};

}  // namespace decant::trace
