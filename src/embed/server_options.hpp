#pragma once

#include <chrono>
#include <string>

#include "embed/known_models.hpp"

namespace decant::embed {

/// Patience with a server of models. One that computes a batch is silent until it is done, and a model that was not in
/// use is read from disk before.
struct ServerPatience {
    std::chrono::milliseconds idle{180'000};
    std::chrono::milliseconds total{300'000};
    std::chrono::milliseconds first_pause{200};  ///< before the second try; then twice as long each time
    int tries = 4;
};

/// A model that a server runs.
struct ServerOptions {
    std::string url;
    std::string name;
    std::string key = {};  ///< bearer token; empty: none is sent
    ModelSettings settings = {};
    ServerPatience patience = {};
};

}  // namespace decant::embed
