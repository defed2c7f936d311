;; Built for contract 1.0.0, with one hook. For every host it goes as far as the contract promises
;; that a filter can: 16 notes, each with a key of 64 bytes and a value of 1024; a rule and a reason
;; of 1024; a metric with 3 labels, all names and values of 64; a key of 1024 in its state; 4096
;; random bytes. It blocks if it got all of these bytes.
(module
  (import "portcullis:filter/answer@1.0.0" "matched" (func $matched (param i32 i32)))
  (import "portcullis:filter/metrics@1.0.0" "count"
    (func $count (param i32 i32 i64 i32 i32)))
  (import "portcullis:filter/notes@1.0.0" "set" (func $note (param i32 i32 i32 i32)))
  (import "portcullis:filter/random@1.0.0" "bytes" (func $bytes (param i32 i32)))
  (import "portcullis:filter/state@1.0.0" "set"
    (func $set (param i32 i32 i32 i32 i32 i64 i32)))
  (memory (export "memory") 2)

  ;; A verdict `next` is zeros: it lies at 0.
  ;; At 64, a `block` with status 403 and the text at 2048 as its reason.
  (data (i32.const 64) "\00\00\00\00\00\00\00\00\02\00\00\00\00\00\00\00\93\01\00\00\00\08\00\00\00\04\00\00")
  ;; At 128, three labels: the names at 1088, 1152 and 1216; the value is 64 bytes of that text.
  (data (i32.const 128) "\40\04\00\00\40\00\00\00\00\08\00\00\40\00\00\00")
  (data (i32.const 144) "\80\04\00\00\40\00\00\00\00\08\00\00\40\00\00\00")
  (data (i32.const 160) "\c0\04\00\00\40\00\00\00\00\08\00\00\40\00\00\00")
  ;; At 1024, the name of the metric; its last byte is changed for the key of each note.
  (data (i32.const 1024) "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk")
  (data (i32.const 1088) "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")
  (data (i32.const 1152) "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy")
  (data (i32.const 1216) "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz")
  (data (i32.const 2048)
    "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"
    "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"
    "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"
    "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"
    "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"
    "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"
    "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"
    "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"
    "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"
    "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"
    "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"
    "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"
    "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"
    "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"
    "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"
    "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv")

  ;; What the proxy hands over: nothing of it is needed when the next comes.
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536))

  (func (export "portcullis:filter/judge-host@1.0.0#judge")
    (param i32 i32 i32) (result i32)
    (local $number i32)
    (call $matched (i32.const 2048) (i32.const 1024))
    (i32.store8 (i32.const 1087) (i32.const 0x6b)) ;; k
    (call $count (i32.const 1024) (i32.const 64) (i64.const 1) (i32.const 128) (i32.const 3))
    ;; `v` for good; `result<_, state-error>` at 512.
    (call $set (i32.const 2048) (i32.const 1024) (i32.const 2048) (i32.const 1)
      (i32.const 0) (i64.const 0) (i32.const 512))
    (loop $more
      (i32.store8 (i32.const 1087) (i32.add (i32.const 0x61) (local.get $number))) ;; a to p
      (call $note (i32.const 1024) (i32.const 64) (i32.const 2048) (i32.const 1024))
      (local.set $number (i32.add (local.get $number) (i32.const 1)))
      (br_if $more (i32.lt_u (local.get $number) (i32.const 16))))
    ;; A list at 544: where it is, and how many bytes it has.
    (call $bytes (i32.const 4096) (i32.const 544))
    (select (i32.const 64) (i32.const 0)
      (i32.eq (i32.load (i32.const 548)) (i32.const 4096)))))
