#pragma once

#include <memory>
#include <string>

#include "migrate/copy.hpp"
#include "migrate/load.hpp"
#include "migrate/page_stream.hpp"
#include "migrate/target_lock.hpp"

namespace decant::migrate::detail {

/// One attempt at a copy, from opening the source to the closing report. Thrown away after a failure: the next attempt
/// finds the run and goes on from its checkpoint, exactly as a new process would.
class CopyJob {
public:
    CopyJob(const CopyRequest& request, CopyObserver& observer);
    CopyReport run();

    /// After a failure: the run's state becomes `state`, if the server still takes it.
    void mark(const std::string& state) noexcept;

    /// Pages committed by this attempt: a retry budget starts anew after progress.
    std::uint64_t pages_done() const noexcept { return pages_done_; }
    /// The server was there and the run begun: worth waiting for. A wrong address is not.
    bool is_under_way() const noexcept { return run_.id != 0; }

private:
    void open_source();
    /// The first pages are read and encoded while the target is opened; a resumed load starts anew at its checkpoint.
    void start_reading();
    void open_target();
    void choose_run();
    bool is_replaced_already(const Run& origin) const;
    bool is_kept(const std::string& previous_table) const;
    /// Not one from before the run that wrote the present table.
    std::optional<Run> resumable_run(const std::optional<Run>& origin);
    void begin_run();
    void load();
    void build_indexes();
    void build_one_index(const std::string& name, const std::string& sql);
    bool has_valid_index(const std::string& method, const std::string& column);
    void verify();
    void measure_recall(RecallProbe& probe);
    void swap();
    void finish();

    /// A second connection, opened when it is first needed.
    pg::Connection& scanner();
    TableName load_table() const { return {target_.schema, run_.load_table}; }
    std::string index_name(const std::string& suffix);
    void timed(const std::string& phase, std::uint64_t total, const std::function<void()>& work);

    const CopyRequest& request_;
    CopyObserver& observer_;
    CopyReport report_;
    TableName target_;

    std::unique_ptr<chroma::Source> origin_;
    std::unique_ptr<chroma::RecordReader> source_;
    std::unique_ptr<PageStream> pages_;  ///< has the use of source_ until the load is done

    std::unique_ptr<pg::Connection> db_;       ///< writes
    std::unique_ptr<pg::Connection> scanner_;  ///< reads the table, watches an index build
    std::unique_ptr<TargetLock> lock_;
    std::optional<store::Pgvector> pgvector_;
    bool table_exists_ = false;
    bool is_beside_ = false;                 ///< --replace: rows go into a table beside the present one
    std::optional<std::int64_t> abandoned_;  ///< the unfinished run that this one does not go on with
    std::string previous_table_;             ///< kept by an earlier --replace of this table

    Run run_;
    std::optional<Sha256> root_;  ///< over the leaves, when this attempt wrote all of them
    std::uint64_t pages_done_ = 0;
};

}  // namespace decant::migrate::detail
