;; Stores a KiB under ever new keys, without end, for hosts that begin with `x`; has no opinion on others.
(module
  (import "portcullis:filter/state@1.0.0" "set"
    (func $set (param $key i32) (param i32) (param $value i32) (param i32) (param $ttl i32) (param i64) (param $answer i32)))
  (memory (export "memory") 1)
  (global $count (mut i32) (i32.const 0))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "portcullis:filter/judge-host@1.0.0#judge")
    (param $host i32) (param i32 i32) (result i32)
    (if (i32.eq (i32.load8_u (local.get $host)) (i32.const 0x78)) ;; x
      (then
        (loop $again
          (global.set $count (i32.add (global.get $count) (i32.const 1)))
          ;; Four bytes below 128 are text.
          (i32.store (i32.const 16) (i32.and (global.get $count) (i32.const 0x7f7f7f7f)))
          (call $set (i32.const 16) (i32.const 4) (i32.const 0) (i32.const 1024) (i32.const 0) (i64.const 0) (i32.const 64))
          (br $again))))
    (i32.const 0)))
