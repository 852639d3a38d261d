#include "trace/tracer.hpp"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <utility>

#include "core/log.hpp"
#include "store/cluster_place.hpp"
#include "trace/langsmith.hpp"
#include "trace/otlp.hpp"
#include "trace/trace_store.hpp"

namespace decant::trace {
namespace {

using namespace std::chrono_literals;

/// Of the two seconds that ending may take; what is left of them is for writing to the disk.
constexpr auto patience = 1'000ms;

std::size_t number_setting(const Settings& settings, std::string_view key) {
    const std::string text = settings.get(key).value_or("");
    std::size_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

std::filesystem::path spool_folder(const Settings& settings) {
    if (const auto named = settings.get("LANGSMITH_FAILED_TRACES_DIR")) return *named;
    return store::find_cluster_place(settings.get("DECANT_HOME"), std::filesystem::current_path()).home / "traces";
}

void start_all(std::vector<std::unique_ptr<SinkWorker>>& workers, std::vector<std::unique_ptr<Sink>> sinks,
               const SinkSetup& shared) {
    for (std::unique_ptr<Sink>& sink : sinks) {
        SinkSetup setup = shared;
        // The database is where the process lives from: where it is away, nothing is asked that could be told.
        if (sink->name() == TraceStore::sink_name)
            setup.spool.clear();
        else if (!setup.spool.empty())
            setup.spool /= sink->name();
        workers.push_back(std::make_unique<SinkWorker>(std::move(sink), std::move(setup)));
    }
}

std::size_t runs_of(const Trace& trace) {
    return 1 + trace.children.size();
}

}  // namespace

TracerSetup tracer_setup(const Settings& settings, const std::string& conninfo, const std::string& version) {
    TracerSetup setup{.sinks = {.most_runs = number_setting(settings, "LANGSMITH_TRACING_QUEUE_MAX_SIZE"),
                                .most_bytes = number_setting(settings, "LANGSMITH_MAX_INGEST_MEMORY_BYTES"),
                                .spool = spool_folder(settings),
                                .most_spooled = number_setting(settings, "LANGSMITH_FAILED_TRACES_MAX_MB") << 20U}};
    const std::vector<LangSmithSetup> langsmith = langsmith_setups(settings, version);
    const std::optional<OtlpSetup> collector = otlp_setup(settings, version);
    if (!langsmith.empty()) {
        setup.sampling_rate = langsmith.front().sampling_rate;
        setup.feedback = std::make_unique<FeedbackSender>(langsmith.front(), conninfo);
    }
    // In the mode "otel" the collector is LangSmith's way; where there is none it has one of its own.
    const bool is_by_otel = !langsmith.empty() && settings.get("LANGSMITH_TRACING_MODE") == "otel";
    for (const LangSmithSetup& one : langsmith)
        if (!is_by_otel) setup.sampled.push_back(std::make_unique<LangSmithSink>(one));
    for (std::size_t i = 0; is_by_otel && i < (collector ? 1 : langsmith.size()); ++i) {
        OtlpSetup one = collector ? otlp_setup_for(*collector, langsmith[i]) : otlp_setup_of(langsmith[i]);
        if (i > 0) one.sink_name = fmt::format("{}-{}", one.sink_name, i + 1);
        setup.sampled.push_back(std::make_unique<OtlpSink>(std::move(one)));
    }
    setup.all.push_back(
        std::make_unique<TraceStore>(TraceStore::Setup{.conninfo = conninfo,
                                                       .keeps_texts = settings.get("DECANT_KEEP_QUESTIONS") == "true",
                                                       .sampling_rate = langsmith.empty() ? 0 : setup.sampling_rate}));
    if (collector && !is_by_otel) setup.all.push_back(std::make_unique<OtlpSink>(*collector));
    return setup;
}

Tracer::Tracer(TracerSetup setup)
    : sampling_rate_(setup.sampling_rate), most_runs_(setup.sinks.most_runs), feedback_(std::move(setup.feedback)) {
    start_all(all_, std::move(setup.all), setup.sinks);
    start_all(sampled_, std::move(setup.sampled), setup.sinks);
    thread_ = std::thread{[this] { run(); }};
}

Tracer::~Tracer() {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    {
        const std::lock_guard lock{mutex_};
        is_ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
    const auto each = [this](const auto& act) {
        for (const auto* workers : {&all_, &sampled_})
            for (const std::unique_ptr<SinkWorker>& worker : *workers)
                act(*worker);
    };
    each([](SinkWorker& worker) { worker.begin_end(); });
    if (feedback_) feedback_->begin_end();
    each([&](SinkWorker& worker) { worker.await_end(deadline); });
    // All of them, before the members' ends wait for one.
    each([](SinkWorker& worker) { worker.break_off(); });
}

void Tracer::record(Trace trace) {
    {
        const std::lock_guard lock{mutex_};
        told_runs_ += runs_of(trace);
        told_.push_back(std::move(trace));
        while (told_runs_ > most_runs_ && !told_.empty()) {
            told_runs_ -= runs_of(told_.front());
            dropped_ += runs_of(told_.front());
            told_.pop_front();
        }
    }
    changed_.notify_one();
}

void Tracer::feedback_came() {
    if (feedback_) feedback_->look();
}

std::vector<SinkCounts> Tracer::counts() const {
    std::vector<SinkCounts> all;
    for (const auto* workers : {&all_, &sampled_})
        for (const std::unique_ptr<SinkWorker>& worker : *workers)
            all.push_back(worker->counts());
    const std::lock_guard lock{mutex_};
    for (SinkCounts& counts : all)
        counts.dropped += dropped_;
    return all;
}

void Tracer::run() {
    for (;;) {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [&] { return is_ending_ || !told_.empty(); });
        if (told_.empty()) return;
        Trace trace = std::move(told_.front());
        told_.pop_front();
        told_runs_ -= runs_of(trace);
        lock.unlock();
        const auto record = std::make_shared<const Record>(record_of(std::move(trace), sampling_rate_));
        for (const std::unique_ptr<SinkWorker>& worker : all_)
            worker->push(record);
        if (!record->is_sampled) continue;
        for (const std::unique_ptr<SinkWorker>& worker : sampled_)
            worker->push(record);
    }
}

}  // namespace decant::trace
