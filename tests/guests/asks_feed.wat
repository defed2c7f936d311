;; Blocks hosts that the feed `local` lists, and fails with the reason if it cannot look into it.
(module
  (import "portcullis:filter/feeds@1.0.0" "find-in" (func $find (param i32 i32 i32 i32 i32)))
  (memory (export "memory") 1)
  ;; At 8: [the 5 bytes at 128].
  (data (i32.const 8) "\80\00\00\00\05\00\00\00")
  ;; At 16: ok(block { status: 403, reason: the 5 bytes at 128 }). At 56: ok(next), or err(..).
  (data (i32.const 16) "\00\00\00\00\00\00\00\00\02\00\00\00\00\00\00\00\93\01\00\00\80\00\00\00\05\00\00\00")
  (data (i32.const 128) "local")
  (data (i32.const 144) "there is no feed local")
  (data (i32.const 176) "the feed local is not granted")
  (func $fails (param $text i32) (param $length i32) (result i32)
    (i32.store8 (i32.const 56) (i32.const 1))
    (i32.store (i32.const 64) (local.get $text))
    (i32.store (i32.const 68) (local.get $length))
    (i32.const 56))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "portcullis:filter/judge-host@1.0.0#judge")
    (param $host i32) (param $length i32) (param i32) (result i32)
    ;; The answer at 512: result<option<match>, feed-error>.
    (call $find (i32.const 8) (i32.const 1) (local.get $host) (local.get $length) (i32.const 512))
    (i64.store (i32.const 56) (i64.const 0))
    (i64.store (i32.const 64) (i64.const 0))
    (if (i32.load8_u (i32.const 512))
      (then
        (if (i32.eq (i32.load8_u (i32.const 516)) (i32.const 0)) ;; unknown
          (then (return (call $fails (i32.const 144) (i32.const 22)))))
        (if (i32.eq (i32.load8_u (i32.const 516)) (i32.const 1)) ;; not-granted
          (then (return (call $fails (i32.const 176) (i32.const 29)))))
        (return (call $fails (i32.load (i32.const 520)) (i32.load (i32.const 524))))))
    ;; Some match, whose kind, at 32 in the record, is `listed`.
    (if (i32.and (i32.load8_u (i32.const 516)) (i32.eqz (i32.load8_u (i32.const 552))))
      (then (return (i32.const 16))))
    (i32.const 56)))
