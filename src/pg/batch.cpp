#include <fmt/format.h>
#include <libpq-fe.h>
#include <sys/socket.h>

#include <string_view>
#include <utility>

#include "core/sha256.hpp"
#include "pg/connection.hpp"
#include "pg/sql_state.hpp"

namespace decant::pg {
namespace {

using ResultPointer = std::unique_ptr<PGresult, decltype(&PQclear)>;

/// Of a session: texts of questions come in ever new forms, and each keeps a plan in the server's memory.
constexpr std::size_t most_prepared = 200;

/// By the text, because behind a pooler sessions are shared with others who prepare statements.
std::string name_of(const std::string& sql) {
    return "decant_" + hex(sha256(sql)).substr(0, 24);
}

/// A statement's parameters as libpq takes them.
class Values {
public:
    explicit Values(const Statement& statement) {
        for (const Param& param : statement.params)
            texts_.push_back(param ? param->c_str() : nullptr);
        lengths_.resize(statement.params.size() + 1);
        formats_.resize(statement.params.size() + 1);
        if (statement.binary == nullptr) return;
        texts_.push_back(statement.binary->data());
        lengths_.back() = static_cast<int>(statement.binary->size());
        formats_.back() = 1;
    }
    int count() const noexcept { return static_cast<int>(texts_.size()); }
    const char* const* texts() const noexcept { return texts_.data(); }
    const int* lengths() const noexcept { return lengths_.data(); }
    const int* formats() const noexcept { return formats_.data(); }

private:
    std::vector<const char*> texts_;
    std::vector<int> lengths_;
    std::vector<int> formats_;
};

bool is_of_a_lost_statement(const PGresult* result) noexcept {
    const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    // invalid_sql_statement_name, and duplicate_prepared_statement of a session that was somebody else's.
    return state != nullptr && (std::string_view{state} == "26000" || std::string_view{state} == "42P05");
}

/// Leaves the mode whatever happens, after what is still under way.
class Pipeline {
public:
    explicit Pipeline(PGconn* conn) : conn_(conn) {
        if (PQenterPipelineMode(conn) == 0) throw connection_error(conn);
    }
    Pipeline(const Pipeline&) = delete;
    Pipeline& operator=(const Pipeline&) = delete;
    ~Pipeline() {
        for (int silent = 0; PQstatus(conn_) == CONNECTION_OK && PQexitPipelineMode(conn_) == 0;) {
            PGresult* result = PQgetResult(conn_);
            silent = result == nullptr ? silent + 1 : 0;
            PQclear(result);
            if (silent < 2) continue;
            cut();
            return;
        }
    }

    void prepare(const std::string& name, const std::string& sql) {
        require(PQsendPrepare(conn_, name.c_str(), sql.c_str(), 0, nullptr));
        ++sent_;
    }
    void execute(const std::string& name, const Values& values) {
        require(PQsendQueryPrepared(conn_, name.c_str(), values.count(), values.texts(), values.lengths(),
                                    values.formats(), 0));
        ++sent_;
    }
    void execute_unprepared(const std::string& sql, const Values& values) {
        require(PQsendQueryParams(conn_, sql.c_str(), values.count(), nullptr, values.texts(), values.lengths(),
                                  values.formats(), 0));
        ++sent_;
    }
    /// The results of all that was sent; of a failure only those before it, and it.
    std::vector<ResultPointer> finish() {
        require(PQpipelineSync(conn_));
        std::vector<ResultPointer> results;
        for (; sent_ > 0; --sent_) {
            while (PGresult* next = PQgetResult(conn_)) {
                ResultPointer owned{next, &PQclear};
                if (PQresultStatus(next) != PGRES_PIPELINE_ABORTED) results.push_back(std::move(owned));
                if (PQstatus(conn_) != CONNECTION_OK) throw connection_error(conn_);
            }
        }
        const ResultPointer sync{PQgetResult(conn_), &PQclear};
        if (PQresultStatus(sync.get()) != PGRES_PIPELINE_SYNC) throw connection_error(conn_);
        return results;
    }

private:
    void require(int done) const {
        if (done == 0) throw connection_error(conn_);
    }
    /// Of a connection that could not be written to and gave a notice only, as after an immediate shutdown, libpq (18)
    /// takes it for idle with results to come, and none comes. In this way it reads the end.
    void cut() noexcept {
        ::shutdown(PQsocket(conn_), SHUT_RDWR);
        PQconsumeInput(conn_);
    }

    PGconn* conn_;
    int sent_ = 0;
};

bool is_failed(const PGresult* result) noexcept {
    const ExecStatusType status = PQresultStatus(result);
    return status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK;
}

}  // namespace

std::vector<Result> Connection::run_batch(std::span<const Statement> statements) {
    std::vector<std::string> steps;  // one an answer: the name that is prepared, or nothing where a statement is run
    std::vector<ResultPointer> results;
    if (prepared_.size() >= most_prepared) {
        exec("DEALLOCATE ALL");
        prepared_.clear();
    }
    {
        Pipeline pipeline{native()};
        for (const Statement& statement : statements) {
            const Values values{statement};
            if (prepares_) {
                const std::string name = name_of(statement.sql);
                if (prepared_.insert(name).second) {
                    steps.push_back(name);
                    pipeline.prepare(name, statement.sql);
                }
                pipeline.execute(name, values);
            } else {
                pipeline.execute_unprepared(statement.sql, values);
            }
            steps.emplace_back();
        }
        results = pipeline.finish();
    }
    if (results.size() < steps.size() || is_failed(results.back().get())) {
        // A statement that was prepared stays when a later one fails.
        for (std::size_t step = results.size() - 1; step < steps.size(); ++step)
            prepared_.erase(steps[step]);
        if (!prepares_ || !is_of_a_lost_statement(results.back().get()))
            throw statement_error(native(), results.back().get());
        prepares_ = false;
        return run_batch(statements);
    }
    std::vector<Result> rows;
    for (std::size_t step = 0; step < steps.size(); ++step)
        if (steps[step].empty()) rows.emplace_back(results[step].release());
    return rows;
}

}  // namespace decant::pg
