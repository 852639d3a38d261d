#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "embed/embedder.hpp"
#include "embed/server_options.hpp"

/// Ollama 0.3 and later (0.17.4 was measured), by its own API: /api/tags, /api/show, /api/embed, /api/pull.
namespace decant::embed {

struct OllamaModel {
    std::string name;  ///< without ":latest"
    std::string digest;
    std::uint64_t bytes = 0;
};

/// Asks the server about the model: that it is there and embeds, its dimension and length; its digest is
/// Model::weights.
/// Throws Error: embedder_unavailable, timed_out, not_found (the remedy pulls it), config_invalid (no model for
/// embeddings, no Ollama there, more dimensions than it has), unauthenticated, permission_denied.
std::unique_ptr<Embedder> open_ollama(const ServerOptions& options);

/// The models that the server has, of all kinds.
std::vector<OllamaModel> list_ollama(const ServerOptions& options);
/// `options.name` among `models`; null where it is not.
const OllamaModel* find_ollama(const std::vector<OllamaModel>& models, const std::string& name);

/// In bytes, of all files so far begun; 0 as long as it is not known.
using PullProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

/// Has the server fetch `options.name`, to the end. A fetch that was interrupted goes on where it stopped.
/// Throws Error as open_ollama, and embedder_unavailable with what the server says went wrong.
void pull_ollama(const ServerOptions& options, const PullProgress& progress);

}  // namespace decant::embed
