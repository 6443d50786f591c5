"""Hosts: compiled models as models of the frameworks that tools are written for.

A `Model` goes in, a model of the framework comes out; the weights are copied, so
what is done to the export never reaches the original. Each host is a file of its
own, imported when it is first used, because each pulls in its framework:

* `haiku.to_haiku`: a pure apply function and a parameter pytree, for jax;
* `torch.to_torch`: a plain `torch.nn.Module` that needs torch alone;
* `transformer_lens.to_transformer_lens`: a `TransformerBridge`, or a
  `HookedTransformer` where TransformerLens is older than 4.

Every host computes what the reference executor computes, reads the token ids of
`model.codec.encode` and returns logits that `model.codec.decode_ids` reads.
"""
