#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/fake_ollama.hpp"
#include "tests/support/schema_case.hpp"

namespace decant::test {

/// `decant serve` as a process of its own on a free port. Killed with this object.
class ServedDecant {
public:
    /// After it listens. Throws std::runtime_error with what it said when it does not.
    ServedDecant(const DecantProgram& decant, const std::vector<std::string>& environment);

    std::uint16_t port() const noexcept { return port_; }
    RunningDecant& process() noexcept { return process_; }

private:
    RunningDecant process_;
    std::uint16_t port_ = 0;
};

/// A catalog of 100 products "Producto N" whose vectors a stand-in for Ollama made, and servers of it.
class ServeCase {
public:
    /// In a database of its own of `cluster`.
    explicit ServeCase(ThrowawayCluster& cluster = ThrowawayCluster::shared());

    const SchemaCase& catalog() const { return with_; }
    /// From now on nobody answers at Ollama's address.
    void stop_ollama() { ollama_.reset(); }
    /// KEY=VALUE, of its servers and of commands that are to embed as they do.
    std::vector<std::string> environment() const;
    /// Without limits of rate.
    ServedDecant serve(const std::vector<std::string>& more = {}) const;

private:
    std::optional<FakeOllama> ollama_;
    std::string ollama_url_;
    SchemaCase with_;
};

}  // namespace decant::test
