#pragma once

#include <memory>

#include "embed/embedder.hpp"
#include "embed/server_options.hpp"

namespace decant::embed {

/// A model behind OpenAI's API of embeddings, POST {url}/embeddings, of OpenAI or of any server that has it. The
/// weights' digest cannot be asked for: the URL stands for it. Where the model's dimension is not known, the
/// server is asked for one vector.
/// Throws Error: config_invalid; where it asks the server also those of Embedder::embed.
std::unique_ptr<Embedder> open_openai(const ServerOptions& options);

}  // namespace decant::embed
