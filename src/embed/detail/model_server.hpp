#pragma once

#include <optional>
#include <string>

#include "core/json.hpp"
#include "embed/server_options.hpp"
#include "net/http_client.hpp"

namespace decant::embed::detail {

struct ServerAnswer {
    int status = 0;
    json::value body = {};     ///< null where it is no JSON
    std::string message = {};  ///< of an error, in the server's words, also of one that comes with status 200

    bool is_ok() const noexcept { return status == 200 && message.empty(); }
    bool says(std::string_view words) const noexcept { return message.find(words) != std::string::npos; }
    /// A text has more tokens than the model takes; every server and version says it in other words.
    bool is_too_long() const noexcept;
};

/// What a person does about a server of models.
struct ServerRemedies {
    std::string unavailable;  ///< nobody answers
    std::string address;      ///< what answers is something else
    std::string credentials;  ///< it wants others
    std::string no_model;     ///< it has no such model
};

/// A server of models, asked in JSON. One thread at a time.
class ModelServer {
public:
    /// `service` comes with name, URL and headers.
    /// Throws Error{config_invalid} for a header that cannot be sent.
    ModelServer(net::HttpService service, const ServerOptions& options, ServerRemedies remedies);

    /// GET, or POST of a body. An answer that is temporary or cut is asked for again, then returned or thrown.
    /// Throws Error: embedder_unavailable, timed_out, too_large, config_invalid, cancelled.
    ServerAnswer ask(const std::string& path, const std::optional<json::object>& body = {});

    /// What an error of this server means for whoever asked it to embed: overloaded and embedder_unavailable pass by
    /// themselves, request_invalid is about the texts, the others about the model or the set-up.
    [[noreturn]] void refuse(const ServerAnswer& answer) const;
    [[noreturn]] void refuse_missing() const;
    /// It answers, but not as such a server.
    [[noreturn]] void refuse_form() const;

    net::HttpClient& client() noexcept { return client_; }
    std::string address() const;  ///< "Ollama at http://localhost:11434"

private:
    net::HttpClient client_;
    std::string model_;
    int tries_;
    ServerRemedies remedies_;
};

}  // namespace decant::embed::detail
