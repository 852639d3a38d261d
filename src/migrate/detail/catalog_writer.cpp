#include "migrate/detail/catalog_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/failpoint.hpp"
#include "core/interrupt.hpp"
#include "migrate/detail/retry.hpp"
#include "pg/binary_row.hpp"
#include "pg/copy.hpp"

namespace decant::migrate::detail {
namespace {

constexpr std::size_t lot_records = 1'000;
constexpr std::size_t queued_page_bytes = 16UL << 20U;
constexpr std::size_t queued_outcomes = 1'000;

// A batch is looked up row by row: joining it by hashing would read the whole of products for each.
constexpr std::string_view begin_sql = "BEGIN; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off";

// FOR SHARE: several connections of one run write at once, and none after another process took the run over.
constexpr std::string_view fence_sql = "SELECT id FROM decant.runs WHERE id = $1 AND token = $2 FOR SHARE";

constexpr std::string_view update_sql =
    "UPDATE products p SET embedding = s.embedding, embedding_model = $1, last_embedding_update = now() AT TIME ZONE "
    "'UTC', "
    "embedding_hash = NULL FROM decant_batch s WHERE p.id = s.id AND coalesce(p.embedding_version, 0) = s.version "
    "RETURNING p.id";

std::string big_endian(std::int32_t value) {
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8)
        out.push_back(static_cast<char>(static_cast<std::uint32_t>(value) >> static_cast<unsigned>(shift)));
    return out;
}

/// What a thread of the writer has to say is told by the thread that may.
class QueuedNotes final : public CopyObserver {
public:
    explicit QueuedNotes(BoundedQueue<WriteOutcome>& outcomes) : outcomes_(outcomes) {}
    void begin_phase(const std::string&, std::uint64_t) override {}
    bool progress(std::uint64_t, std::uint64_t) override { return true; }
    void end_phase() override {}
    void note(const std::string& line) override {
        WriteOutcome outcome;
        outcome.note = line;
        outcomes_.push(std::move(outcome), 1);
    }

private:
    BoundedQueue<WriteOutcome>& outcomes_;
};

/// The server took the statement and refused what it says; anything else is no fault of a product.
bool is_about_a_row(const Error& error) {
    return error.code() == ErrorCode::store_rejected;
}

}  // namespace

CatalogWriter::CatalogWriter(chroma::RecordReader& reader, const ProductIndex& index, const CatalogPlan& plan,
                             WriterSetup setup)
    : reader_(reader),
      index_(index),
      plan_(plan),
      setup_(std::move(setup)),
      pages_(queued_page_bytes),
      outcomes_(queued_outcomes) {}

void CatalogWriter::run(const std::function<bool(const WriteOutcome&)>& on_outcome) {
    running_ = setup_.connections + 1;
    std::vector<std::jthread> threads;
    threads.emplace_back([this] { read(); });
    for (std::uint32_t i = 0; i < setup_.connections; ++i)
        threads.emplace_back([this] { write(); });
    while (const auto outcome = outcomes_.pop()) {
        if (on_outcome(*outcome)) continue;
        is_stopped_ = true;
        pages_.close();
    }
    threads.clear();
    if (failure_) std::rethrow_exception(failure_);
}

void CatalogWriter::fail() {
    {
        const std::lock_guard lock{failure_mutex_};
        if (!failure_) failure_ = std::current_exception();
    }
    is_stopped_ = true;
    pages_.close();
}

void CatalogWriter::end_thread() {
    if (--running_ == 0) outcomes_.close();
}

void CatalogWriter::read() {
    try {
        Page page;
        const auto hand_over = [&] {
            const std::size_t bytes = page.tuples.size();
            return pages_.push(std::exchange(page, {}), bytes);
        };
        std::size_t position = 0;
        for (auto records = reader_.next_page(lot_records); !records.empty() && !is_stopped_;
             records = reader_.next_page(lot_records)) {
            for (const chroma::Record& record : records) {
                const std::uint32_t product = plan_.products.at(position++);
                if (product == no_product) continue;
                page.starts.push_back(page.tuples.size());
                page.products.push_back(product);
                const ProductRow& target = index_.products()[product];
                pg::BinaryRow row{page.tuples, 3};
                row.text({reinterpret_cast<const char*>(target.id.data()), target.id.size()});
                row.vector(record.vector);
                row.text(big_endian(target.version));
                if (page.products.size() == setup_.products_a_transaction && !hand_over()) break;
            }
        }
        if (!page.products.empty()) hand_over();
        pages_.close();
    } catch (...) {
        fail();
    }
    end_thread();
}

void CatalogWriter::write() {
    try {
        QueuedNotes notes{outcomes_};
        std::optional<pg::Connection> db;
        while (const auto page = pages_.pop()) {
            if (is_stopped_ || interrupted()) break;
            for (RetryBudget budget;;) {
                WriteOutcome outcome;
                try {
                    if (!db) db.emplace(pg::Connection::open(setup_.conninfo));
                    write_page(*db, *page, outcome);
                    outcomes_.push(std::move(outcome), 1);
                    break;
                } catch (const Error& error) {
                    // Written again from its start: the same vectors, whatever was committed.
                    db.reset();
                    if (!error.is_retryable() || !budget.wait(error, false, notes)) throw;
                }
            }
        }
    } catch (...) {
        fail();
    }
    end_thread();
}

void CatalogWriter::write_page(pg::Connection& db, const Page& page, WriteOutcome& outcome) {
    failpoint("migrate.batch_begun");
    write_range(db, page, 0, page.products.size(), outcome);
    outcome.bytes = page.tuples.size();
    failpoint("migrate.batch_committed");
}

void CatalogWriter::write_range(pg::Connection& db, const Page& page, std::size_t first, std::size_t count,
                                WriteOutcome& outcome) {
    try {
        update(db, page, first, count, outcome);
    } catch (const Error& error) {
        if (!is_about_a_row(error)) throw;
        if (count == 1) {
            outcome.failed.emplace_back(page.products[first], error.happened());
            return;
        }
        write_range(db, page, first, count / 2, outcome);
        write_range(db, page, first + count / 2, count - count / 2, outcome);
    }
}

void CatalogWriter::update(pg::Connection& db, const Page& page, std::size_t first, std::size_t count,
                           WriteOutcome& outcome) {
    const std::size_t begin = page.starts[first];
    const std::size_t end = first + count < page.starts.size() ? page.starts[first + count] : page.tuples.size();
    pg::Transaction tx{db, begin_sql};
    if (db.query(fence_sql, {std::to_string(setup_.run_id), setup_.token}).empty()) {
        throw Error{ErrorCode::busy,
                    fmt::format("Run {} was taken over by another process while this one was away", setup_.run_id),
                    fmt::format("Look at it with `decant runs show {}`.", setup_.run_id)};
    }
    db.exec(fmt::format("CREATE TEMPORARY TABLE decant_batch (id uuid, embedding {}, version int) ON COMMIT DROP",
                        setup_.vector_type));
    pg::CopyIn copy{db, "COPY decant_batch FROM STDIN (FORMAT binary)"};
    copy.write(std::string_view{page.tuples}.substr(begin, end - begin));
    copy.finish();
    const pg::Result updated = db.query(update_sql, {setup_.model});
    failpoint("migrate.batch_written");
    tx.commit();

    std::set<Uuid> ids;
    for (int row = 0; row < updated.rows(); ++row) {
        if (const auto id = parse_uuid(updated.text(row, 0))) ids.insert(*id);
    }
    for (std::size_t i = first; i < first + count; ++i) {
        const bool is_written = ids.contains(index_.products()[page.products[i]].id);
        (is_written ? outcome.written : outcome.changed).push_back(page.products[i]);
    }
}

}  // namespace decant::migrate::detail
