#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "embed/embedder.hpp"

namespace decant::embed {

/// What every provider must do. A provider's own tests instantiate it with what opens the provider.
class EmbedderContract : public testing::TestWithParam<std::function<std::unique_ptr<Embedder>()>> {};

}  // namespace decant::embed
