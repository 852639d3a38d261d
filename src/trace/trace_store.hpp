#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "pg/connection.hpp"
#include "pg/conninfo.hpp"
#include "trace/sink.hpp"

namespace decant::trace {

/// Writes runs into decant.trace_runs. What people wrote is kept only where `keeps_texts`: without it a run has no
/// inputs, and outputs only where they are products of the catalog.
class TraceStore final : public Sink {
public:
    struct Setup {
        std::string conninfo;
        bool keeps_texts = false;
        double sampling_rate = 1;  ///< as of record_of
    };
    static constexpr std::string_view sink_name = "postgresql";

    explicit TraceStore(const Setup& setup) : setup_(setup), conninfo_(pg::impatient(setup.conninfo)) {}

    std::string_view name() const noexcept override { return sink_name; }
    BatchLimits limits() const noexcept override { return {.runs = 1'000, .bytes = 8UL << 20U}; }
    Delivery deliver(const Runs& runs, const std::stop_token& stop) override;

private:
    void put(const Runs& runs);
    void put_once(const Runs& runs, Delivery& delivery);
    Runs unknown_of(const Runs& runs);

    Setup setup_;
    std::string conninfo_;
    std::optional<pg::Connection> db_;
};

struct TraceLimits {
    int days = 14;
    std::uint64_t bytes = 256ULL << 20U;
};

/// Removes runs that are older than `days`, and of the others the oldest over `bytes`; their number. In steps, so that
/// no lock is held for long.
std::uint64_t prune_traces(pg::Connection& db, const TraceLimits& limits);

}  // namespace decant::trace
