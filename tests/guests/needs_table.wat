;; Takes a table of 10 000 elements for hosts that begin with `y`, of ten million for `x`, and traps without; has no opinion.
(module
  (memory (export "memory") 1)
  (table $table 0 funcref)
  (func $take (param $elements i32)
    (if (i32.eq (table.grow $table (ref.null func) (local.get $elements)) (i32.const -1))
      (then unreachable)))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "portcullis:filter/judge-host@1.0.0#judge")
    (param $host i32) (param i32 i32) (result i32)
    (if (i32.eq (i32.load8_u (local.get $host)) (i32.const 0x79)) ;; y
      (then (call $take (i32.const 10_000))))
    (if (i32.eq (i32.load8_u (local.get $host)) (i32.const 0x78)) ;; x
      (then (call $take (i32.const 10_000_000))))
    (i32.const 0)))
