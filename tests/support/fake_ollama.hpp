#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/http_stand_in.hpp"

namespace decant::test {

/// A model without weights: the vector of a text is made of its digest and of `weights`.
struct FakeModel {
    std::string name = "nomic-embed-text";
    std::string digest = "0a109f422b47e3a30ba2b10eca18548e944e8a23073ee3f3e947efcf3c45e59f";
    std::string weights = "one";
    std::size_t dimension = 768;
    std::size_t context = 2048;  ///< tokens: one for each three characters of a word, and two
    std::vector<std::string> capabilities = {"embedding"};
};

/// A stand-in for Ollama 0.17.4 as measured: /api/tags, /api/show, /api/embed, /api/pull and OpenAI's /v1/embeddings.
/// A request that decant should not send (method, path, a field of another type or one that is not known, `truncate`
/// other than false) is answered 400 and kept as a violation.
class FakeOllama {
public:
    /// Answers in the place of the server; none: the server does.
    using Fault = std::function<std::optional<StandInAnswer>(const StandInRequest&)>;
    /// Changes the vectors that answer `texts`.
    using Spoil = std::function<void(const std::vector<std::string>& texts, boost::json::array& vectors)>;

    explicit FakeOllama(const FakeModel& model = {});

    /// In the place of the model of the same name.
    void put(const FakeModel& model);
    void remove(const std::string& name);
    /// The registry has it: a pull fetches it.
    void publish(const FakeModel& model);
    void set_fault(Fault fault);
    void set_spoil(Spoil spoil);
    /// From now on OpenAI's API asks for this key.
    void require_key(const std::string& key);

    std::string url() const { return http_.url(); }
    HttpStandIn& http() noexcept { return http_; }
    /// Requests so far to paths that start with `path`.
    std::size_t count(const std::string& path) const;
    std::vector<std::string> violations() const;

private:
    StandInAnswer answer(const StandInRequest& request);
    StandInAnswer tags() const;
    StandInAnswer show(const boost::json::object& body);
    StandInAnswer embed(const boost::json::object& body);
    StandInAnswer pull(const boost::json::object& body);
    StandInAnswer openai(const boost::json::object& body);
    StandInAnswer violation(const std::string& what);
    const FakeModel* find(const boost::json::object& body) const;
    /// None: one is too long.
    std::optional<boost::json::array> vectors_of(const FakeModel& model, const std::vector<std::string>& texts,
                                                 const boost::json::object& body) const;

    mutable std::mutex mutex_;
    std::map<std::string, FakeModel> models_;
    std::map<std::string, FakeModel> registry_;
    std::vector<std::string> violations_;
    Fault fault_;
    Spoil spoil_;
    std::string key_;
    HttpStandIn http_;  ///< last: its threads use the others
};

}  // namespace decant::test
