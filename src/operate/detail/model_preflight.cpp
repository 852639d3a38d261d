#include "operate/detail/model_preflight.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"
#include "core/quantity_text.hpp"
#include "core/shell_word.hpp"
#include "store/embedding_statistics.hpp"
#include "store/index_builder.hpp"
#include "store/server_disk.hpp"
#include "work/catalog_model.hpp"

namespace decant::operate::detail {
namespace {

constexpr std::string_view sizes_sql =
    "SELECT count(*), pg_catalog.pg_relation_size(pg_catalog.to_regclass('products')) FROM products WHERE active";

class Proof {
public:
    Proof(pg::Connection& db, const ModelChangeRequest& request) : db_(db), request_(request) {}

    ModelGround run() {
        ground_.catalog = store::read_catalog_state(db_);
        const auto pgvector = store::find_pgvector(db_);
        if (auto problem = store::embedding_problem(db_, ground_.catalog)) add(std::move(*problem));
        if (!pgvector) add({ErrorCode::not_found, "pgvector extension not installed", "Run `decant schema up`."});
        open_model();
        if (problems_.empty()) {
            ground_.pgvector = *pgvector;
            look_at_schema();
            look_at_models();
            look_at_second();
            look_at_dependents();
        }
        if (ground_.embedder) {
            look_at_dimension();
            if (ground_.catalog.has_embedding()) look_at_disk();
        }
        store::throw_problems(problems_);
        return std::move(ground_);
    }

private:
    void add(Error problem) { problems_.push_back(std::move(problem)); }

    void open_model() {
        try {
            ground_.embedder = request_.open();
        } catch (const Error& error) {
            add(error);
        }
    }

    void look_at_schema() {
        const store::CatalogState& state = ground_.catalog;
        if (!state.may_alter) {
            add({ErrorCode::permission_denied,
                 fmt::format("Role '{}' may not add columns to {}.products, which belongs to another role", db_.user(),
                             state.schema),
                 "Run it as the owner of products."});
        }
        if (state.embedding_type != "vector" || !state.dimension) {
            add({ErrorCode::conflict,
                 fmt::format("products.embedding is {}, and searches ask for vector(N)", state.column_type()),
                 "Make the column anew: decant schema down, then decant schema up."});
        }
        std::vector<std::string> missing;
        for (const store::MissingObject& object : state.missing)
            if (object.version == 1 || object.version == 2) missing.push_back(object.name);
        if (missing.empty()) return;
        add({ErrorCode::conflict,
             fmt::format("The catalog's schema is not whole: {} missing", fmt::join(missing, ", ")),
             "Make it whole first: decant schema up."});
    }

    /// The model of the vectors that are there must be known for certain: a rollback would ask it.
    void look_at_models() {
        const auto told = store::read_column_model(db_);
        ground_.before = told.value_or(request_.configured);
        if (!told) ground_.before.dimension = ground_.catalog.dimension.value_or(ground_.before.dimension);
        if (ground_.embedder && work::is_of(ground_.before, ground_.embedder->model())) {
            add({ErrorCode::request_invalid,
                 fmt::format("The catalog's vectors are of model '{}' ({}) already", ground_.before.name,
                             ground_.before.provider),
                 "To make them all anew: decant embed --all --force."});
        }
        if (told) return;
        for (const store::ModelEmbeddings& one : store::read_embeddings_by_model(db_)) {
            if (one.model == ground_.before.name) continue;
            add({ErrorCode::conflict,
                 fmt::format("{} products have vectors of {}, and the settings say that questions are embedded by {}",
                             grouped(one.products), one.model.value_or("an unknown model"),
                             ground_.before.name.empty() ? "no model" : ground_.before.name),
                 "Run it with the settings of your servers, or make these vectors anew first: decant embed --stale."});
        }
    }

    void look_at_second() {
        ground_.second = store::read_second_column(db_);
        if (!ground_.second) return;
        if (!ground_.second->comment) {
            add({ErrorCode::conflict, "products has a column embedding_second that decant did not make",
                 "Give it another name: ALTER TABLE products RENAME COLUMN embedding_second TO ...;"});
            return;
        }
        const store::ColumnComment& comment = *ground_.second->comment;
        if (ground_.embedder && work::is_of(comment.model, ground_.embedder->model())) return;
        const bool is_kept = comment.second == store::SecondState::kept;
        add({ErrorCode::conflict,
             is_kept
                 ? fmt::format("The vectors of model '{}' ({}) are kept beside those of '{}', for a rollback",
                               comment.model.name, comment.model.provider, ground_.before.name)
                 : fmt::format("A change to model '{}' ({}) is under way", comment.model.name, comment.model.provider),
             is_kept ? "Let them go first: decant model forget."
                     : fmt::format("Go on with it: decant model change {}; or give it up: decant model forget.",
                                   shell_word(comment.model.name))});
    }

    void look_at_dependents() {
        const std::vector<std::string> dependents = store::dependents_of_live(db_);
        if (dependents.empty()) return;
        add({ErrorCode::conflict,
             fmt::format("What asks for the columns of the vectors would stay with the old ones: {}",
                         fmt::join(dependents, ", ")),
             "Drop it, and make it again after the change."});
    }

    void look_at_dimension() {
        const embed::Model& model = ground_.embedder->model();
        const std::uint32_t most = store::max_index_dimensions(request_.index_type);
        if (model.dimension <= most) return;
        const bool helps_half = model.dimension <= store::max_index_dimensions(pg::VectorType::halfvec) &&
                                request_.index_type == pg::VectorType::vector;
        add({ErrorCode::request_invalid,
             fmt::format("Model '{}' gives {} dimensions, and an index of {} takes at most {}", model.name,
                         model.dimension, pg::name_of(request_.index_type), most),
             helps_half ? "Index it in half precision: --halfvec; or ask for fewer: DECANT_EMBEDDING_DIMENSIONS."
                        : "Choose a model of fewer dimensions."});
    }

    /// The vectors, their index, and every row once more, because it is written.
    void look_at_disk() {
        const pg::Result sizes = db_.exec(sizes_sql);
        ground_.products = static_cast<std::uint64_t>(sizes.integer(0, 0));
        const auto dimension = static_cast<std::uint32_t>(ground_.embedder->model().dimension);
        ground_.needed_bytes =
            ground_.products * (4ULL * dimension + 64) + static_cast<std::uint64_t>(sizes.integer(0, 1)) +
            store::graph_bytes({.type = request_.index_type, .dimension = dimension, .rows = ground_.products});
        const auto free = store::free_server_bytes(db_);
        const bool goes_on = ground_.second && ground_.second->comment;
        if (!free || *free >= ground_.needed_bytes || goes_on) return;
        add({ErrorCode::store_full,
             fmt::format("The server's disk has {} left, the second column needs about {}", bytes_text(*free),
                         bytes_text(ground_.needed_bytes)),
             "Make room on the server's disk, then run the same command again."});
    }

    pg::Connection& db_;
    const ModelChangeRequest& request_;
    ModelGround ground_;
    std::vector<Error> problems_;
};

}  // namespace

ModelGround prove_ground(pg::Connection& db, const ModelChangeRequest& request) {
    return Proof{db, request}.run();
}

}  // namespace decant::operate::detail
