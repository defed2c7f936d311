;; Makes five thousand calls within each other for hosts that begin with `x`; has no opinion on any.
(module
  (memory (export "memory") 1)
  (func $nest (param $left i32) (result i32)
    (if (result i32) (local.get $left)
      (then (i32.add (call $nest (i32.sub (local.get $left) (i32.const 1))) (i32.const 1)))
      (else (i32.const 0))))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "portcullis:filter/judge-host@1.0.0#judge")
    (param $host i32) (param i32 i32) (result i32)
    (if (i32.eq (i32.load8_u (local.get $host)) (i32.const 0x78)) ;; x
      (then (drop (call $nest (i32.const 5000)))))
    (i32.const 0)))
