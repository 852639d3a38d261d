#include "migrate/verify.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "core/error.hpp"

namespace decant::migrate {
namespace {

constexpr std::array<std::string_view, 4> column_names{"id", "document", "metadata", "embedding"};

std::string columns_that_differ(std::string_view expected, std::string_view found) {
    const auto wanted = pg::fields_of(expected);
    const auto got = pg::fields_of(found);
    std::string out;
    for (std::size_t i = 0; i < column_names.size() && i < got.size(); ++i) {
        const bool is_same = wanted[i] == got[i] && (wanted[i].data() == nullptr) == (got[i].data() == nullptr);
        if (!is_same) out += (out.empty() ? "" : ", ") + std::string{column_names[i]};
    }
    return out.empty() ? "row" : out;
}

/// Collects what both kinds of verification find and hands the vectors on.
class Collector {
public:
    Collector(std::string against, const VerifyRequest& request, const VerifyObserver& on_rows, RecallProbe* recall)
        : request_(request), on_rows_(on_rows), recall_(recall) {
        outcome_.against = std::move(against);
    }

    void saw(std::string_view image) {
        ++outcome_.rows;
        outcome_.bytes += image.size();
        if (recall_ != nullptr) recall_->add_row(image);
        if (outcome_.rows % 1024 == 0 && !on_rows_(outcome_.rows, outcome_.bytes)) {
            throw Error{ErrorCode::cancelled, "Verification interrupted: nothing was changed", "Run it again."};
        }
    }
    void differs(Difference::Kind kind, std::string_view id, std::string what) {
        ++outcome_.difference_count;
        count(kind, what);
        if (outcome_.differences.size() < max_listed_differences) {
            outcome_.differences.push_back({kind, std::string{id}, std::move(what)});
        }
    }
    void found_extra(std::string_view id) {
        const auto& known = request_.known_extra;
        if (std::binary_search(known.begin(), known.end(), id))
            found_known_extra();
        else
            differs(Difference::Kind::extra, id, "row");
    }
    void found_known_extra() { ++outcome_.known_extra; }
    void found_rejected(std::uint64_t count) { outcome_.rejected += count; }
    VerifyOutcome take() { return std::move(outcome_); }

private:
    void count(Difference::Kind kind, std::string_view what) {
        DifferenceCounts& counts = outcome_.counts;
        if (kind == Difference::Kind::missing) ++counts.missing;
        if (kind == Difference::Kind::extra) ++counts.extra;
        if (kind != Difference::Kind::changed) return;
        ++counts.changed;
        counts.document += what.find("document") != what.npos ? 1U : 0U;
        counts.metadata += what.find("metadata") != what.npos ? 1U : 0U;
        counts.embedding += what.find("embedding") != what.npos ? 1U : 0U;
    }

    const VerifyRequest& request_;
    const VerifyObserver& on_rows_;
    RecallProbe* recall_;
    VerifyOutcome outcome_;
};

}  // namespace

VerifyOutcome verify_against_source(TableScan& scan, PageStream& pages, const VerifyRequest& request,
                                    const VerifyObserver& on_rows, RecallProbe* recall) {
    Collector collector{"source", request, on_rows, recall};
    std::set<std::string, std::less<>> rejected;
    const auto pass_extra = [&] {
        collector.saw(*scan.row());
        if (rejected.erase(std::string{scan.id()}) == 0)
            collector.found_extra(scan.id());
        else
            collector.found_known_extra();
        scan.advance();
    };
    while (const auto page = pages.next()) {
        for (const Reject& reject : page->rejects)
            rejected.insert(reject.id);
        collector.found_rejected(page->rejects.size());
        for (std::size_t row = 0; row < page->rows(); ++row) {
            const std::string_view id = page->id(row);
            while (scan.row() && scan.id() < id)
                pass_extra();
            if (!scan.row() || scan.id() != id) {
                collector.differs(Difference::Kind::missing, id, "row");
                continue;
            }
            collector.saw(*scan.row());
            if (*scan.row() != page->image(row)) {
                collector.differs(Difference::Kind::changed, id, columns_that_differ(page->image(row), *scan.row()));
            }
            scan.advance();
        }
    }
    while (scan.row())
        pass_extra();
    return collector.take();
}

std::optional<Leaf> Manifest::next() {
    if (left_.empty()) {
        pages_ = RunStore{db_}.next_leaves(run_id_, page_);
        left_ = pages_;
        root_.update(pages_);
    }
    return take_leaf(left_);
}

VerifyOutcome verify_against_digests(TableScan& scan, Manifest& manifest, const VerifyRequest& request,
                                     const VerifyObserver& on_rows, RecallProbe* recall) {
    Collector collector{"digests", request, on_rows, recall};
    const auto pass_extra = [&] {
        collector.saw(*scan.row());
        collector.found_extra(scan.id());
        scan.advance();
    };
    std::string found;
    while (const auto leaf = manifest.next()) {
        while (scan.row() && scan.id() < leaf->id)
            pass_extra();
        if (!scan.row() || scan.id() != leaf->id) {
            collector.differs(Difference::Kind::missing, leaf->id, "row");
            continue;
        }
        collector.saw(*scan.row());
        found.clear();
        append_leaf(*scan.row(), found);
        if (!found.ends_with(leaf->digest)) collector.differs(Difference::Kind::changed, leaf->id, "row");
        scan.advance();
    }
    while (scan.row())
        pass_extra();
    return collector.take();
}

}  // namespace decant::migrate
