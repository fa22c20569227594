// The lookup path with a way to flip bits of its memories, as particles do.
module bench (
    input logic clock,
    input logic reset,
    input logic valid,
    input logic [1225:0] parsed,
    input logic armed,
    input logic [43:0] expiry_floor,
    input logic [7:0] prefix_bits,
    input logic [63:0] now_ns,
    input logic enable,
    input logic command_valid,
    input logic [511:0] command,
    output logic command_take,
    output logic hold,
    output logic completion_valid,
    output logic [511:0] completion_head,
    output logic [511:0] completion_row,
    input logic completion_take,
    output logic drop_request,
    input logic drop_done,
    input logic [63:0] drop_packets,
    input logic [63:0] drop_bytes,
    input logic drops_ready,
    output logic ready,
    output logic committed,
    output logic [2:0] damaged_rows,
    output logic scrub_round,
    output logic [31:0] damage,
    output logic entering,
    output logic entering_armed,
    output logic done,
    output logic hit,
    output logic [645:0] verdict,
    output logic suppressed,
    output logic [4:0] expired,
    output logic [4:0] multi_hits,
    output logic [4:0] damaged_reads
);
    logic drop_clear;
    logic [16:0] drop_index;
    logic idle;
    logic answered;
    logic [78:0] entering_ticket;
    lookup_path path (.*);
    wire unused = &{1'b0, drop_clear, drop_index, idle, answered, entering_ticket};

    export "DPI-C" function flip;
    function void flip(input int memory, input int word, input int position);
        case (memory)
            0: path.exact.addresses_0.words_0_words[word[12:0]][position[7:0]] ^= 1'b1;
            1: path.exact.addresses_1.words_0_words[word[12:0]][position[7:0]] ^= 1'b1;
            2: path.exact.addresses_0.rows_0_words[word[12:0]][position[6:0]] ^= 1'b1;
            3: path.exact.endpoints.words_2_words[word[10:0]][position[7:0]] ^= 1'b1;
            4: path.exact.endpoints.rows_2_words[word[10:0]][position[6:0]] ^= 1'b1;
            5: path.rules.bank_0.words_words[word[6:0]][position[9:0]] ^= 1'b1;
            6: path.rules.bank_0.rows_words[word[6:0]][position[6:0]] ^= 1'b1;
            7: path.rules.bank_0.cells.chunks_0_0_words[word[4:0]][position[6:0]] ^= 1'b1;
            default: ;
        endcase
    endfunction
endmodule
