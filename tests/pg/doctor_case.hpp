#pragma once

#include <fmt/format.h>

#include <any>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "operate/doctor.hpp"
#include "tests/support/catalog_case.hpp"
#include "tests/support/fake_ollama.hpp"
#include "tests/support/schema_case.hpp"

namespace decant::test {

/// A catalog of 60 products with which nothing is wrong, and its collection in Chroma. Made once, then cloned.
inline CatalogCase& sound_catalog() {
    static CatalogCase* const sound = [] {
        auto* made = new CatalogCase;  // NOLINT: outlives the other statics that use the server
        made->put_products(1, 60);
        made->put_records(1, 60);
        made->exec(
            "UPDATE products SET embedding = (SELECT array_agg(random() - 0.5 + (k = length(sku))::int) "
            "FROM generate_series(1, 8) k)::vector, embedding_model = 'small', "
            "last_embedding_update = timezone('UTC', now());"
            "DELETE FROM decant.embedding_jobs;"
            "INSERT INTO decant.quality_probes (recall, queries, products, coverage, stale, milliseconds) "
            "VALUES (1, 50, 60, 1, 0, 1)");
        made->exec("SELECT refresh_embedding_stats()");
        made->exec("ANALYZE products");
        return made;
    }();
    return *sound;
}

/// A clone of it, and what surrounds it, for one test to break.
class DoctorCase : public SchemaCase {
public:
    DoctorCase() : SchemaCase(clone()) {
        settings = {{"DATABASE_URL", decant().conninfo()},
                    {"OLLAMA_API_URL", ollama.url()},
                    {"OLLAMA_API_MODEL_EMBEDDING", "small"},
                    {"CHROMA_PATH", sound_catalog().source().path().string()},
                    {"CHROMA_COLLECTION", "products"}};
    }

    /// All checks by their ids; that of `mended` is mended where it can be.
    std::map<std::string, operate::Diagnosis, std::less<>> examine(const std::string& mended = {}) const {
        const Settings read = Settings::from({}, settings);
        std::map<std::string, operate::Diagnosis, std::less<>> found;
        for (operate::Diagnosis& diagnosis :
             operate::examine({.settings = read,
                               .may_mend = [&](const operate::Diagnosis& diagnosis) { return diagnosis.id == mended; },
                               .now = now,
                               .shared_memory = shared_memory})) {
            // It refers to the examination, which is over.
            if (diagnosis.finding.mend) diagnosis.finding.mend->run = {};
            found.emplace(diagnosis.id, std::move(diagnosis));
        }
        return found;
    }
    operate::Diagnosis look(const std::string& id) const { return examine().at(id); }
    operate::Diagnosis mend(const std::string& id) const { return examine(id).at(id); }

    /// The name of its database.
    std::string database() const { return database_of(decant().conninfo()); }
    /// A role of its own that may log in, and the conninfo of the database as that role.
    std::string new_role() {
        role = "role_of_" + database();
        exec(fmt::format("DROP ROLE IF EXISTS {0}; CREATE ROLE {0} LOGIN", role));
        return ThrowawayCluster::shared().conninfo(database()) + " user=" + role;
    }

    FakeOllama ollama{{.name = "small", .dimension = 8}};
    Settings::Variables settings;
    std::function<std::chrono::system_clock::time_point()> now = std::chrono::system_clock::now;
    std::string shared_memory = "/tmp";
    std::string role;
    std::vector<std::any> kept;  ///< what a test set up, until the case ends

private:
    static std::string clone() {
        static int clones = 0;
        const std::string name = fmt::format("doctor_{}", ++clones);
        const std::string original = database_of(sound_catalog().decant().conninfo());
        ThrowawayCluster& cluster = ThrowawayCluster::shared();
        pg::Connection::open(cluster.conninfo()).exec(fmt::format("CREATE DATABASE {} TEMPLATE {}", name, original));
        return cluster.conninfo(name);
    }
};

/// One thing that is broken, and how its check tells of it.
struct Break {
    enum class Mending { none, offered_and_done };

    std::string id;  ///< of the check
    std::function<void(DoctorCase&)> apply;
    operate::CheckState state = operate::CheckState::failure;
    std::string found;   ///< a part of what is found
    std::string remedy;  ///< a part of it
    Mending mending = Mending::none;
    bool needs_root = false;
};

std::vector<Break> server_breaks();
std::vector<Break> schema_breaks();
std::vector<Break> index_breaks();
std::vector<Break> vectors_breaks();
std::vector<Break> surroundings_breaks();
std::vector<Break> model_breaks();

}  // namespace decant::test
