;; Traps for hosts that begin with `x`, in a function whose name looks like two lines of a log; has no opinion on others.
(module
  (memory (export "memory") 1)
  (func $"sorry\0aERROR \1b[31mforged line" unreachable)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "portcullis:filter/judge-host@1.0.0#judge")
    (param $host i32) (param i32 i32) (result i32)
    (if (i32.eq (i32.load8_u (local.get $host)) (i32.const 0x78)) ;; x
      (then (call $"sorry\0aERROR \1b[31mforged line")))
    (i32.const 0)))
