    // What is fetched, compared and judged in three clocks one after the other.
    localparam VALID = RowData__valid__lsb;
    localparam PENDING = RowData__pending__lsb;
    localparam CLEARED = RowData__pending_clear__lsb;
    localparam UNTIL = RowData__not_after__lsb;
    localparam VALUE = RuleWord__value__lsb;
    localparam MASK = RuleWord__mask__lsb;
    function automatic logic whole_word(input logic [$bits(word)-1:0] data);
        logic [7:0] sum;
        sum = 0;
        for (int i = 0; i < $bits(word); i++) sum[i % 8] = sum[i % 8] ^ data[i];
        whole_word = sum == 0;
    endfunction
    function automatic logic whole_row(input logic [71:0] data);
        logic [3:0] sum;
        sum = 0;
        for (int i = 0; i < 72; i++) sum[i % 4] = sum[i % 4] ^ data[i];
        whole_row = sum == 0;
    endfunction
    logic [$bits(word)-1:0] word_1;
    logic [71:0] row_1, row_2, row_3;
    logic there_1 = 0, there_2 = 0, there_3 = 0;
    logic agrees, agrees_2, whole_2, visible_2, live_2, receiver_2, agrees_3, whole_3, visible_3, live_3, receiver_3;
    always_comb begin
        agrees = 1;
        for (int i = 0; i < 304; i++) if (word_1[MASK + i] && word_1[VALUE + i] != key[i]) agrees = 0;
    end
    always_ff @(posedge clock) begin
        there_1 <= fetch;
        there_2 <= there_1 && compare;
        there_3 <= there_2 && judge;
        word_1 <= word;
        row_1 <= row;
        row_2 <= row_1;
        row_3 <= row_2;
        agrees_2 <= agrees;
        whole_2 <= whole_word(word_1) && whole_row(row_1);
        visible_2 <= row_1[VALID] && !(row_1[PENDING] && !committed) && !(row_1[CLEARED] && committed);
        live_2 <= tick < row_1[UNTIL +: 44];
        receiver_2 <= word_1[RuleWord__destination__lsb];
        {agrees_3, whole_3, visible_3, live_3, receiver_3} <= {agrees_2, whole_2, visible_2, live_2, receiver_2};
    end
    always_comb begin
        if (there_3) begin
            agrees__live: assert (candidate__live == (agrees_3 && whole_3 && visible_3 && live_3));
            agrees__row: assert (candidate__row == row_3 && candidate__destination == receiver_3);
            expired__only: assert (candidate__expired == (agrees_3 && whole_3 && visible_3 && !live_3));
        end
        if (there_1) help__word: assert (word_register_q == word_1 && row_register_q == row_1);
        if (there_2) begin
            help__compared: assert (equal_q == agrees_2 && visible_q == visible_2 && live_q == live_2 && compared_row_q == row_2
                && destination_q == receiver_2);
            help__parity: assert ((word_syndrome_q == 0 && row_syndrome_q == 0) == whole_2);
        end

        found: cover (there_3 && candidate__live && receiver_3 && differs_3);
    end
    logic differs_2, differs_3; // the value differs from the key where nobody looks
    always_ff @(posedge clock) begin
        differs_2 <= word_1[VALUE +: 304] != key && word_1[MASK +: 304] != 0;
        differs_3 <= differs_2;
    end
