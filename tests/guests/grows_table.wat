;; Makes its table larger without end for hosts that begin with `x`, whether it may or not; has no opinion on others.
(module
  (memory (export "memory") 1)
  (table $table 1 funcref)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "portcullis:filter/judge-host@1.0.0#judge")
    (param $host i32) (param i32 i32) (result i32)
    (if (i32.eq (i32.load8_u (local.get $host)) (i32.const 0x78)) ;; x
      (then (loop $again
        (drop (table.grow $table (ref.null func) (i32.const 10_000)))
        (br $again))))
    (i32.const 0)))
