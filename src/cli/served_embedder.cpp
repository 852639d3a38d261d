#include "cli/served_embedder.hpp"

#include <boost/json/parse.hpp>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "net/http_client.hpp"

namespace decant::cli {
namespace {

using namespace std::chrono_literals;

net::HttpService service_of(const RunningServer& server) {
    return {.name = "The running decant server",
            .url = net::parse_url(server.url, "its URL"),
            .headers = {"Authorization: Bearer " + server.token, "X-Decant-Role: query"},
            .connect_timeout = 500ms,
            .idle_timeout = 5s,
            .total_timeout = 5s};
}

class ServedEmbedder final : public embed::Embedder {
public:
    ServedEmbedder(const RunningServer& server, embed::Model model,
                   std::function<std::unique_ptr<embed::Embedder>()> open)
        : client_(service_of(server)), model_(std::move(model)), open_(std::move(open)) {}

    const embed::Model& model() const noexcept override { return model_; }

    std::vector<embed::TextVector> embed(std::span<const std::string_view> texts, embed::Role role) override {
        if (role == embed::Role::query && !own_) {
            try {
                return ask(texts);
            } catch (const std::exception& error) {
                log::debug("the running server was asked for a vector: {}", error.what());
            }
        }
        if (!own_) own_ = open_();
        return own_->embed(texts, role);
    }

private:
    std::vector<embed::TextVector> ask(std::span<const std::string_view> texts) {
        json::array input;
        for (const std::string_view text : texts)
            input.emplace_back(text);
        const net::HttpResponse response =
            client_.send({.path = "/v1/embeddings",
                          .body = json_text({{"model", model_.name}, {"input", std::move(input)}}),
                          .tries = 1});
        if (!response.is_ok())
            throw Error{ErrorCode::embedder_unavailable, "The running server refused: " + response.body, ""};
        const json::value answer = json::parse(response.body);
        std::vector<embed::TextVector> vectors;
        for (const json::value& row : answer.at("data").as_array()) {
            embed::TextVector& vector = vectors.emplace_back();
            for (const json::value& component : row.at("embedding").as_array())
                vector.values.push_back(component.to_number<float>());
        }
        return vectors;
    }

    net::HttpClient client_;
    embed::Model model_;
    std::function<std::unique_ptr<embed::Embedder>()> open_;
    std::unique_ptr<embed::Embedder> own_;
};

}  // namespace

std::unique_ptr<embed::Embedder> open_served_embedder(const RunningServer& server, const embed::Model& model,
                                                      std::function<std::unique_ptr<embed::Embedder>()> open) {
    return std::make_unique<ServedEmbedder>(server, model, std::move(open));
}

}  // namespace decant::cli
