#pragma once

#include <fmt/format.h>

#include <chrono>
#include <stdexcept>

#include "store/job_queue.hpp"
#include "tests/support/schema_case.hpp"
#include "tests/support/small_embedder.hpp"

namespace decant::test {

/// Time that passes when a test says so, in the place of the database's.
class VirtualClock {
public:
    std::chrono::milliseconds now() const noexcept { return now_; }
    void advance(std::chrono::milliseconds span) noexcept { now_ += span; }
    /// A timestamptz.
    std::string text() const {
        using namespace std::chrono;
        const sys_time<milliseconds> at{now_ + hours{24 * 20'000}};
        const auto day = floor<days>(at);
        const year_month_day date{day};
        const hh_mm_ss time{at - day};
        return fmt::format("{}-{:02}-{:02} {:02}:{:02}:{:02}.{:03}+00", int{date.year()}, unsigned{date.month()},
                           unsigned{date.day()}, time.hours().count(), time.minutes().count(), time.seconds().count(),
                           time.subseconds().count());
    }
    store::JobQueue::Clock clock() const {
        return [this] { return text(); };
    }

private:
    std::chrono::milliseconds now_{};
};

/// The catalog with a column for the vectors of SmallEmbedder, in a database of its own.
class EmbeddingCase : public SchemaCase {
public:
    EmbeddingCase() : SchemaCase(ThrowawayCluster::shared().create_database()) {
        const Outcome up = decant().run({"schema", "up", "--dimension", "8"});
        if (up.exit_code != 0) throw std::runtime_error(up.told());
        exec(
            "INSERT INTO categories (name, display_name) VALUES ('audio', 'Audio'), ('video', 'Video');"
            "INSERT INTO brands (name, display_name) VALUES ('acme', 'Acme'), ('umbra', 'Umbra')");
    }

    /// Products of the skus p-FIRST, p-(FIRST + 1)..., of brand acme and category audio, whose triggers queue them.
    void put(int first, int count) const {
        exec(
            fmt::format("INSERT INTO products (name, specs, price, stock, sku, category_id, brand_id) "
                        "SELECT 'Producto ' || i, '', 100, 5, 'p-' || i, c.id, b.id FROM generate_series({}, {}) i, "
                        "categories c, brands b WHERE c.name = 'audio' AND b.name = 'acme' ORDER BY i",
                        first, first + count - 1));
    }
    void empty_queue() const { exec("DELETE FROM decant.embedding_jobs"); }
    std::string jobs() const { return value("SELECT count(*) FROM decant.embedding_jobs"); }
    std::string id_of(const std::string& sku) const {
        return value(fmt::format("SELECT id FROM products WHERE sku = '{}'", sku));
    }
    /// The skus of what waits or is leased, one a job.
    std::string queued() const {
        return value(
            "SELECT coalesce(string_agg(p.sku, ' ' ORDER BY j.id), '') FROM decant.embedding_jobs j JOIN products p ON "
            "p.id = j.product_id");
    }
};

}  // namespace decant::test
