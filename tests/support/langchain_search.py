"""The ten nearest documents of each vector on standard input, as langchain-postgres finds them.

  langchain_search.py langchain|langchain-legacy URL TABLE_OR_COLLECTION DIMENSION

Standard input: a JSON list of vectors. Standard output: a JSON list of lists of [id, content, metadata].
"""
import json
import sys

from langchain_core.embeddings import Embeddings


class NoEmbeddings(Embeddings):
    """Nothing is embedded: the vectors are there."""

    def embed_documents(self, texts):
        raise AssertionError("a text was embedded")

    embed_query = embed_documents


def open_store(layout, url, name, dimension):
    if layout == "langchain":
        from langchain_postgres import PGEngine, PGVectorStore
        return PGVectorStore.create_sync(PGEngine.from_connection_string(url), NoEmbeddings(), name)
    from langchain_postgres.vectorstores import PGVector
    return PGVector(NoEmbeddings(), connection=url, collection_name=name, embedding_length=int(dimension),
                    create_extension=False, use_jsonb=True)


store = open_store(*sys.argv[1:])
found = [[[document.id, document.page_content, document.metadata] for document in
          store.similarity_search_by_vector(vector, k=10)] for vector in json.load(sys.stdin)]
json.dump(found, sys.stdout)
