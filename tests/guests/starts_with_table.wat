;; Wants a table of a hundred million elements before it does anything, which is nothing.
(module
  (memory (export "memory") 1)
  (table 100_000_000 funcref)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "portcullis:filter/judge-host@1.0.0#judge") (param i32 i32 i32) (result i32)
    (i32.const 0)))
