#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/bounded_queue.hpp"
#include "migrate/detail/catalog_plan.hpp"
#include "store/pgvector.hpp"

namespace decant::migrate::detail {

/// What became of products whose turn it was. One transaction each.
struct WriteOutcome {
    std::vector<std::uint32_t> written;
    std::vector<std::uint32_t> changed;                         ///< their text changed since the plan: left alone
    std::vector<std::pair<std::uint32_t, std::string>> failed;  ///< with the server's words
    std::uint64_t bytes = 0;
    std::string note;  ///< for stderr; alone

    std::uint64_t products() const noexcept { return written.size() + changed.size() + failed.size(); }
};

struct WriterSetup {
    std::string conninfo;
    std::string model;
    std::uint32_t connections = 1;
    std::uint64_t products_a_transaction = 50;
    std::int64_t run_id = 0;
    std::string token;  ///< of the run: who lost it may not write on
    std::string vector_type;
};

/// Writes the planned vectors: one thread reads the source, `connections` threads update products. A transaction that
/// the server refuses is halved until the product that it is about stands alone.
class CatalogWriter {
public:
    CatalogWriter(chroma::RecordReader& reader, const ProductIndex& index, const CatalogPlan& plan, WriterSetup setup);

    /// `on_outcome` is called on this thread; false stops after the transactions under way. Rethrows what stopped a
    /// thread.
    void run(const std::function<bool(const WriteOutcome&)>& on_outcome);

private:
    struct Page {
        std::vector<std::uint32_t> products;
        std::vector<std::size_t> starts;  ///< of each product's tuple
        std::string tuples;
    };

    void read();
    void write();
    void write_page(pg::Connection& db, const Page& page, WriteOutcome& outcome);
    void write_range(pg::Connection& db, const Page& page, std::size_t first, std::size_t count, WriteOutcome& outcome);
    void update(pg::Connection& db, const Page& page, std::size_t first, std::size_t count, WriteOutcome& outcome);
    void fail();
    void end_thread();

    chroma::RecordReader& reader_;
    const ProductIndex& index_;
    const CatalogPlan& plan_;
    const WriterSetup setup_;
    BoundedQueue<Page> pages_;
    BoundedQueue<WriteOutcome> outcomes_;
    std::atomic<std::uint32_t> running_{0};
    std::atomic<bool> is_stopped_{false};
    std::mutex failure_mutex_;
    std::exception_ptr failure_;
};

}  // namespace decant::migrate::detail
