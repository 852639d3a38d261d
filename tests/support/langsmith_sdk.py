"""Traces of the real langsmith package: twenty trees of three runs, one with an error, and a feedback.

  langsmith_sdk.py URL KEY
"""
import sys
import uuid

from langsmith import Client
from langsmith.run_trees import RunTree

url, key = sys.argv[1:]
client = Client(api_url=url, api_key=key)
for number in range(20):
    root = RunTree(name="product_agent", run_type="chain", inputs={"messages": [{"role": "user", "content": "ñandú"}]},
                   project_name="shop", client=client, tags=["sdk"])
    root.post()
    retriever = root.create_child(name="retriever", run_type="retriever", inputs={"query": "taladro"})
    retriever.post()
    retriever.end(outputs={"documents": [{"page_content": "Taladro", "metadata": {"score": 0.8}, "type": "Document"}]})
    retriever.patch()
    llm = root.create_child(name="answer", run_type="llm", inputs={"messages": [{"role": "user", "content": "hola"}]},
                            extra={"metadata": {"ls_provider": "ollama", "ls_model_name": "qwen3:4b"}})
    llm.post()
    llm.end(outputs={"messages": [{"role": "assistant", "content": "Buenas"}],
                     "usage_metadata": {"input_tokens": 3, "output_tokens": 1, "total_tokens": 4}},
            error="it broke off" if number == 7 else None)
    llm.patch()
    root.end(outputs={"answer": number})
    root.patch()
client.flush()
client.create_feedback(run_id=root.id, trace_id=root.trace_id, key="user_score", score=1.0, feedback_id=uuid.uuid4())
client.flush()
print("done")
