#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "embed/embedder.hpp"
#include "work/breaker.hpp"

namespace decant::api {

/// The server's one model, for all threads: they take turns, and questions that were asked before are not embedded
/// again. A provider that is away is not asked for a while after five failures (see work/breaker), so that answers by
/// words come at once.
class QueryEmbedder final : public embed::Embedder {
public:
    using Open = std::function<std::unique_ptr<embed::Embedder>()>;

    /// `longest_wait` for one's turn: words alone are an answer too, and a provider that hangs would hold up all
    /// questions after the first.
    explicit QueryEmbedder(Open open, std::size_t most_remembered = 4096,
                           std::chrono::milliseconds longest_wait = std::chrono::seconds{3});

    /// Opens the model where it is not open. Throws Error: embedder_unavailable, whatever keeps the provider from
    /// answering, while the breaker is open, or where another is opening it for longer than three seconds; timed_out,
    /// overloaded.
    void require();
    /// Whether the last call worked; true before the first.
    bool is_up() const noexcept { return is_up_; }
    /// Whether model() may be asked.
    bool is_open() const noexcept { return is_open_; }

    /// Only after require() or embed().
    const embed::Model& model() const noexcept override { return model_; }
    std::vector<embed::TextVector> embed(std::span<const std::string_view> texts, embed::Role role) override;

private:
    using Entry = std::pair<std::string, embed::TextVector>;

    /// Takes the model's lock: a single question as soon as it is free, a turn of a batch after the questions that
    /// wait.
    std::unique_lock<std::timed_mutex> take_turn(embed::Role role, bool is_question);
    std::vector<embed::TextVector> ask(std::span<const std::string_view> texts, embed::Role role, bool is_question);
    std::vector<embed::TextVector> ask_in_turns(std::span<const std::string_view> texts, embed::Role role);
    const embed::TextVector* remembered(const std::string& text);
    void remember(const std::string& text, const embed::TextVector& vector);

    Open open_;
    std::size_t most_remembered_;
    std::chrono::milliseconds longest_wait_;
    std::mutex gate_mutex_;
    std::condition_variable gate_;
    std::size_t questions_ = 0;  ///< that wait for the model
    std::timed_mutex model_mutex_;
    std::unique_ptr<embed::Embedder> embedder_;
    embed::Model model_;
    work::Breaker breaker_;
    std::atomic<bool> is_up_{true};
    std::atomic<bool> is_open_{false};
    std::mutex memory_mutex_;
    std::list<Entry> entries_;  ///< the latest used first
    std::unordered_map<std::string, std::list<Entry>::iterator> places_;
};

}  // namespace decant::api
