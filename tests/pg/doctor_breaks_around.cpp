#include <sqlite3.h>

#include "tests/pg/doctor_case.hpp"

namespace decant::test {
namespace {

constexpr auto failure = operate::CheckState::failure;
constexpr auto warning = operate::CheckState::warning;
constexpr auto mends = Break::Mending::offered_and_done;

std::function<void(DoctorCase&)> setting(const std::string& key, const std::string& value) {
    return [key, value](DoctorCase& with) { with.settings[key] = value; };
}

void change_model(DoctorCase& with) {
    with.look("embedder.vectors");  // which remembers the model
    with.ollama.put({.name = "small", .weights = "two", .dimension = 8});
}

void lose_model(DoctorCase& with) {
    with.ollama.remove("small");
    with.ollama.publish({.name = "small", .dimension = 8});
}

/// Of one record the vector is gone.
void damage_chroma(DoctorCase& with) {
    const auto source = std::make_shared<SyntheticChroma>(SyntheticChroma::Options{.dimension = 8, .space = "cosine"});
    source->put_samples(1, 10);
    sqlite3* db = nullptr;
    sqlite3_open((source->path() / "chroma.sqlite3").c_str(), &db);
    sqlite3_exec(db, "DELETE FROM embeddings_queue WHERE seq_id = 3", nullptr, nullptr, nullptr);
    sqlite3_close(db);
    with.settings["CHROMA_PATH"] = source->path().string();
    with.kept.emplace_back(source);
}

}  // namespace

std::vector<Break> surroundings_breaks() {
    return {
        {"embedder.reachable", setting("OLLAMA_API_URL", "http://127.0.0.1:1"), failure, "127.0.0.1:1", "ollama serve"},
        {"embedder.model", lose_model, failure, "small", "ollama pull small", mends},
        {"embedder.vectors", change_model, failure, "the model changed under its name", "decant embed --all", mends},
        {"chroma.reachable", setting("CHROMA_PATH", "/nowhere"), warning, "/nowhere", ""},
        {"chroma.reachable", setting("CHROMA_COLLECTION", "product"), warning, "There is no collection 'product'",
         "did you mean 'products'?"},
        {"chroma.damage", damage_chroma, warning, "1 records cannot be had whole", "decant inspect"},
        {"chroma.drift", [](DoctorCase& with) { with.exec("DELETE FROM products WHERE sku IN ('sku-7', 'sku-8')"); },
         warning, "2 records are of no product", "decant migrate"},
        {"chroma.drift",
         [](DoctorCase& with) {
             with.exec(
                 "UPDATE products SET name = 'Otro' WHERE sku = 'sku-7';"
                 "UPDATE products SET embedding = NULL WHERE sku = 'sku-8'");
         },
         warning, "1 of another text than their product's; 1 products have a vector only in Chroma", "decant migrate"},
        {"settings.strategy",
         [](DoctorCase& with) {
             with.settings.erase("CHROMA_PATH");
             with.settings["PRODUCT_SEARCH_STRATEGY"] = "chroma_primary";
         },
         failure, "PRODUCT_SEARCH_STRATEGY is chroma_primary, and no Chroma is configured",
         "PRODUCT_SEARCH_STRATEGY=pgvector_primary"},
        {"settings.strategy", setting("USE_PGVECTOR", "false"), warning, "USE_PGVECTOR is off", "decant rollback"},
        {"settings.embedder", setting("DECANT_EMBEDDING_MODEL", "other"), warning,
         "OLLAMA_API_MODEL_EMBEDDING is small, and DECANT_EMBEDDING_MODEL, which goes before it, other",
         "decant config"},
        {"settings.threshold",
         [](DoctorCase& with) {
             with.settings["OLLAMA_API_MODEL_EMBEDDING"] = "nomic-embed-text";
             with.settings["PGVECTOR_SIMILARITY_THRESHOLD"] = "0.99";
         },
         warning, "nearly nothing is found", "PGVECTOR_SIMILARITY_THRESHOLD=0.7"},
        {"settings.threshold", setting("PGVECTOR_SIMILARITY_THRESHOLD", "high"), failure, "which is no similarity",
         "from -1 to 1"},
        {"settings.database", setting("DB_HOST", "db.example"), warning,
         "DB_HOST is db.example, and DATABASE_URL, which goes before it", "decant config"},
        {"settings.server", setting("DECANT_HOST", "0.0.0.0"), failure, "neither an API key nor JWT_SECRET_KEY",
         "decant key create"},
        {"settings.server", setting("JWT_SECRET_KEY", "short"), failure, "JWT_SECRET_KEY has fewer than 32 bytes",
         "openssl rand"},
        {"settings.server", setting("DECANT_TLS_KEY", "key.pem"), failure, "only one is set", "Set both"},
        {"settings.threads", setting("DECANT_SEARCH_THREADS", "256"), warning, "256 connections for searches",
         "raise max_connections"},
        {"settings.view_model",
         [](DoctorCase& with) {
             with.exec(fmt::format("ALTER DATABASE {} SET decant.embedding_model = 'other'", with.database()));
         },
         warning, "decant.embedding_model is other, products are embedded by small",
         "SET decant.embedding_model = ", mends},
    };
}

}  // namespace decant::test
