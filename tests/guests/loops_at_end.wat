;; Never comes back when it is told that an exchange has ended whose host begins with `x`.
(module
  (import "portcullis:filter/exchange@1.0.0" "host" (func $host (param i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "portcullis:filter/exchange-ended@1.0.0#ended") (result i32)
    ;; At 512: where the host is, and how long.
    (call $host (i32.const 512))
    (if (i32.eq (i32.load8_u (i32.load (i32.const 512))) (i32.const 0x78)) ;; x
      (then (loop $again (br $again))))
    (i32.const 0)))
